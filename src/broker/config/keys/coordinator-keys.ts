/** Broker keys: group and transaction coordinators, producer state. Kafka 3.9: `GroupCoordinatorConfig`, `TransactionLogConfigs`, `TransactionStateManagerConfigs`. */
import { atLeast, boolean, eachOneOf, int, INT_MAX, list, long, short } from '../config-def.ts';

export const coordinatorKeys = {
  'group.min.session.timeout.ms': int(6000, { doc: 'The shortest session time-out that a consumer may ask for.' }),
  'group.max.session.timeout.ms': int(1_800_000, { doc: 'The longest session time-out that a consumer may ask for.' }),
  'group.initial.rebalance.delay.ms': int(3000, {
    doc: 'How long a new, empty group waits for more members before its first rebalance.',
  }),
  'group.max.size': int(INT_MAX, { doc: 'The most members a group may have.', validator: atLeast(1) }),
  'group.coordinator.rebalance.protocols': list('classic', {
    doc: 'The rebalance protocols on offer. In ZooKeeper mode there is only classic.',
    validator: eachOneOf('classic'),
  }),
  'offset.metadata.max.bytes': int(4096, { doc: 'The longest note that may be committed with an offset.' }),
  'offsets.load.buffer.size': int(5_242_880, {
    doc: 'How much is read at once when groups and offsets are loaded.',
    validator: atLeast(1),
  }),
  'offsets.topic.replication.factor': short(3, {
    doc: "How many replicas the partitions of __consumer_offsets get. The topic can't be made with fewer brokers.",
    validator: atLeast(1),
  }),
  'offsets.topic.num.partitions': int(50, {
    doc: 'How many partitions __consumer_offsets gets. It must not change later.',
    validator: atLeast(1),
  }),
  'offsets.topic.segment.bytes': int(104_857_600, { doc: 'The size of a segment of __consumer_offsets.', validator: atLeast(1) }),
  'offsets.topic.compression.codec': int(0, {
    doc: 'The codec of records in __consumer_offsets: 0 none, 1 gzip, 2 snappy, 3 LZ4, 4 zstd.',
  }),
  'offsets.retention.minutes': int(10_080, {
    doc: 'How long committed offsets are kept after the group has lost its last member, or has stopped reading the topic.',
    validator: atLeast(1),
  }),
  'offsets.retention.check.interval.ms': long(600_000, {
    doc: 'How often committed offsets are checked for expiry.',
    validator: atLeast(1),
  }),
  'offsets.commit.timeout.ms': int(5000, {
    doc: 'How long a commit waits for the replicas of __consumer_offsets.',
    validator: atLeast(1),
  }),
  'offsets.commit.required.acks': short(-1, { doc: 'How many acknowledgements a commit waits for; -1 is all in-sync replicas.' }),

  'transaction.state.log.min.isr': int(2, {
    doc: 'How many replicas of __transaction_state must be in sync for a write to it.',
    validator: atLeast(1),
  }),
  'transaction.state.log.load.buffer.size': int(5_242_880, {
    doc: 'How much is read at once when transactions are loaded.',
    validator: atLeast(1),
  }),
  'transaction.state.log.replication.factor': short(3, {
    doc: "How many replicas the partitions of __transaction_state get. The topic can't be made with fewer brokers.",
    validator: atLeast(1),
  }),
  'transaction.state.log.num.partitions': int(50, {
    doc: 'How many partitions __transaction_state gets. It must not change later.',
    validator: atLeast(1),
  }),
  'transaction.state.log.segment.bytes': int(104_857_600, { doc: 'The size of a segment of __transaction_state.', validator: atLeast(1) }),
  'transactional.id.expiration.ms': int(604_800_000, {
    doc: 'How long the state of a transactional id is kept without a transaction.',
    validator: atLeast(1),
  }),
  'transaction.max.timeout.ms': int(900_000, { doc: 'The longest time-out that a transaction may ask for.', validator: atLeast(1) }),
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': int(10_000, {
    doc: 'How often transactions are checked for their time-out.',
    validator: atLeast(1),
  }),
  'transaction.remove.expired.transaction.cleanup.interval.ms': int(3_600_000, {
    doc: 'How often transactional ids are checked for expiry.',
    validator: atLeast(1),
  }),
  'transaction.partition.verification.enable': boolean(true, {
    doc: 'Whether a partition asks the transaction coordinator, before the first transactional write, if the partition is part of the transaction.',
    dynamic: 'cluster-wide',
  }),
  'producer.id.expiration.ms': int(86_400_000, {
    doc: 'How long a partition remembers an idempotent producer that writes nothing.',
    validator: atLeast(1),
    dynamic: 'cluster-wide',
  }),
  'producer.id.expiration.check.interval.ms': int(600_000, {
    doc: 'How often producers are checked for expiry.',
    validator: atLeast(1),
    internal: true,
  }),
};
