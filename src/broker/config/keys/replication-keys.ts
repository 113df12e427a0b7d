/** Broker keys: replication, leader election, purgatories. Kafka 3.9: `ReplicationConfigs`. */
import { atLeast, boolean, int, long, string } from '../config-def.ts';

/** Here a completed operation leaves its purgatory at once, so that there is nothing to purge (src/broker/purgatory/watchers.ts). */
const NO_PURGE = 'Kept for Apache Kafka, without effect: completed requests leave the purgatory at once.';

export const replicationKeys = {
  'controller.socket.timeout.ms': int(30_000, { doc: "How long the controller waits for a broker's answer before it connects anew." }),
  'default.replication.factor': int(1, { doc: "How many replicas a topic's partitions get when nobody says." }),
  'replica.lag.time.max.ms': long(30_000, {
    doc: "A follower that hasn't caught up with its leader for this long is taken out of the in-sync replicas.",
  }),
  'replica.socket.timeout.ms': int(30_000, {
    doc: "How long a follower waits for its leader's answer; at least replica.fetch.wait.max.ms.",
  }),
  'replica.socket.receive.buffer.bytes': int(65_536, {
    doc: "The receive buffer of a follower's socket. Left to the operating system here.",
  }),
  'replica.fetch.max.bytes': int(1_048_576, {
    doc: 'How many bytes of a partition a follower asks for at most; a larger first batch comes all the same.',
    validator: atLeast(0),
  }),
  'replica.fetch.wait.max.ms': int(500, {
    doc: 'How long a leader may hold back the answer to a follower while there is nothing new; less than replica.lag.time.max.ms.',
  }),
  'replica.fetch.min.bytes': int(1, { doc: 'How many bytes a follower waits for, at most replica.fetch.wait.max.ms.' }),
  'replica.fetch.backoff.ms': int(1000, { doc: 'How long a follower leaves a partition alone after an error.', validator: atLeast(0) }),
  'replica.fetch.response.max.bytes': int(10_485_760, {
    doc: 'How many bytes the answer to one fetch of a follower holds at most; a larger first batch comes all the same.',
    validator: atLeast(0),
  }),
  'num.replica.fetchers': int(1, {
    doc: 'How many fetchers a follower runs per leader broker.',
    dynamic: 'cluster-wide',
  }),
  'replica.high.watermark.checkpoint.interval.ms': long(5000, { doc: 'How often high watermarks are written down.' }),
  'fetch.purgatory.purge.interval.requests': int(1000, { doc: NO_PURGE }),
  'producer.purgatory.purge.interval.requests': int(1000, { doc: NO_PURGE }),
  'delete.records.purgatory.purge.interval.requests': int(1, { doc: NO_PURGE }),
  'auto.leader.rebalance.enable': boolean(true, {
    doc: 'Whether the controller gives leadership back to preferred replicas when leaders have become too unevenly spread.',
  }),
  'leader.imbalance.per.broker.percentage': int(10, {
    doc: "The share of a broker's preferred leaderships that may lie elsewhere before leaderships are given back.",
  }),
  'leader.imbalance.check.interval.seconds': long(300, { doc: 'How often the spread of leaders is checked.', validator: atLeast(1) }),
  'unclean.leader.election.interval.ms': long(300_000, {
    doc: 'How often unclean elections are looked for. Used in KRaft mode only.',
    validator: atLeast(1),
    internal: true,
  }),
  'unclean.leader.election.enable': boolean(false, {
    doc: "Whether a replica that isn't in sync may become leader when no other is left, losing records. Default for topics: unclean.leader.election.enable.",
    dynamic: 'cluster-wide',
  }),
  'inter.broker.protocol.version': string('3.9-IV0', {
    doc: 'The version of the protocol between brokers. This broker speaks that of 3.9 only.',
  }),
  'replica.selector.class': string(null, {
    doc: 'How a consumer is told which replica to read from: org.apache.kafka.common.replica.RackAwareReplicaSelector, or the leader when not set.',
  }),
};
