/** Broker keys: identity, threads, requests, shutdown, ZooKeeper. Kafka 3.9: `ServerConfigs`, `ZkConfigs`. */
import { atLeast, between, boolean, className, int, list, long, oneOf, password, string } from '../config-def.ts';

export const serverKeys = {
  'broker.id': int(-1, {
    doc: 'The number of this broker in the cluster. With -1 one is taken from ZooKeeper, above reserved.broker.max.id.',
  }),
  'broker.id.generation.enable': boolean(true, { doc: 'Whether a broker without broker.id may take a number from ZooKeeper.' }),
  'reserved.broker.max.id': int(1000, {
    doc: 'The highest number that a person may give to a broker while broker.id.generation.enable is on; generated ones begin above it.',
    validator: atLeast(0),
  }),
  'broker.rack': string(null, {
    doc: 'The rack or zone the broker stands in. Replicas of a partition are spread over racks, and consumers may read from their own rack.',
  }),
  'message.max.bytes': int(1_048_588, {
    doc: 'The largest record batch, after compression, that is accepted. Default for topics: max.message.bytes.',
    validator: atLeast(0),
    dynamic: 'cluster-wide',
  }),
  'num.io.threads': int(8, {
    doc: 'Handlers: how many requests may be in execution at once. A request that waits for replicas or for data holds none.',
    validator: atLeast(1),
    dynamic: 'cluster-wide',
  }),
  'background.threads': int(10, {
    doc: 'How many background tasks (deleting files, loading coordinators) may run at once.',
    validator: atLeast(1),
    dynamic: 'cluster-wide',
  }),
  'num.replica.alter.log.dirs.threads': int(null, {
    doc: 'How many moves of replicas between log directories run at once; by default one per log directory.',
  }),
  'request.timeout.ms': int(30_000, { doc: 'How long this broker waits for the answer to a request it sent to another broker.' }),
  'socket.connection.setup.timeout.ms': long(10_000, {
    doc: 'How long a connection to another broker may take to be set up at the first try.',
  }),
  'socket.connection.setup.timeout.max.ms': long(30_000, {
    doc: 'The longest time for setting up a connection, reached by doubling after each failure in a row.',
  }),
  'delete.topic.enable': boolean(true, { doc: 'Whether topics can be deleted. When off, a request to delete one is refused.' }),
  'compression.type': string('producer', {
    doc: 'The codec that batches are stored with; producer keeps what the producer chose. Default for topics: compression.type.',
    validator: oneOf('uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'),
    dynamic: 'cluster-wide',
  }),
  'compression.gzip.level': int(-1, {
    doc: "The level used when the broker compresses with gzip; -1 is the library's own choice.",
    validator: {
      description: '[1,...,9] or -1',
      check: (level) => (level === -1 || (level >= 1 && level <= 9) ? undefined : 'Value must be between 1 and 9 or equal to -1'),
    },
    dynamic: 'cluster-wide',
  }),
  'compression.lz4.level': int(9, {
    doc: 'The level used when the broker compresses with LZ4: 9 is the fast compressor, any other LZ4 high compression, with which 12 and above are the same.',
    validator: between(1, 17),
    dynamic: 'cluster-wide',
  }),
  'compression.zstd.level': int(3, {
    doc: 'The level used when the broker compresses with zstd.',
    validator: between(-131_072, 22),
    dynamic: 'cluster-wide',
  }),
  'controlled.shutdown.enable': boolean(true, { doc: 'Whether a broker that stops hands its leaderships over first.' }),
  'controlled.shutdown.max.retries': int(3, { doc: 'How often a broker that stops asks the controller again to take its leaderships.' }),
  'controlled.shutdown.retry.backoff.ms': long(5000, { doc: 'The pause before a stopping broker asks the controller again.' }),
  'max.incremental.fetch.session.cache.slots': int(1000, {
    doc: 'How many incremental fetch sessions are remembered at once; a client without one names all its partitions in each fetch.',
    validator: atLeast(0),
  }),
  'fetch.max.bytes': int(57_671_680, {
    doc: 'The most bytes that the answer to one fetch holds, whatever the client asks for; the first batch is sent even if it is larger.',
    validator: atLeast(1024),
  }),
  'max.request.partition.size.limit': int(2000, {
    doc: 'The most partitions in the answer to one DescribeTopicPartitions request. Used in KRaft mode only.',
    validator: atLeast(1),
  }),
  'authorizer.class.name': string('', {
    doc: 'What decides on access: kafka.security.authorizer.AclAuthorizer for access control lists kept in ZooKeeper, empty for none.',
  }),
  'early.start.listeners': string(null, { doc: 'Listeners that open before the authorizer has started.' }),
  'unstable.api.versions.enable': boolean(false, {
    doc: 'Whether API versions that are still being developed are offered.',
    internal: true,
  }),

  'zookeeper.connect': string(null, {
    doc: 'The ZooKeeper servers as host:port, separated by commas; a path after the last one keeps the cluster below that node.',
  }),
  'zookeeper.session.timeout.ms': int(18_000, {
    doc: 'How long ZooKeeper waits for a sign of life before it takes this broker for dead.',
  }),
  'zookeeper.connection.timeout.ms': int(null, {
    doc: 'How long the broker waits for ZooKeeper at its start; by default zookeeper.session.timeout.ms.',
  }),
  'zookeeper.set.acl': boolean(false, { doc: 'Whether ZooKeeper nodes are made with access control lists that let only brokers write.' }),
  'zookeeper.max.in.flight.requests': int(10, {
    doc: 'How many requests to ZooKeeper may be on their way before the next one waits.',
    validator: atLeast(1),
  }),
  'zookeeper.ssl.client.enable': boolean(false, { doc: 'Whether ZooKeeper is reached over TLS.' }),
  'zookeeper.clientCnxnSocket': string(null, {
    doc: 'The Java class for sockets to ZooKeeper. Kept for Apache Kafka, without effect here.',
  }),
  'zookeeper.ssl.keystore.location': string(null, { doc: 'Where the key store for TLS to ZooKeeper lies.' }),
  'zookeeper.ssl.keystore.password': password({ doc: 'The password of the key store for TLS to ZooKeeper.' }),
  'zookeeper.ssl.keystore.type': string(null, { doc: 'The type of the key store for TLS to ZooKeeper.' }),
  'zookeeper.ssl.truststore.location': string(null, { doc: 'Where the trust store for TLS to ZooKeeper lies.' }),
  'zookeeper.ssl.truststore.password': password({ doc: 'The password of the trust store for TLS to ZooKeeper.' }),
  'zookeeper.ssl.truststore.type': string(null, { doc: 'The type of the trust store for TLS to ZooKeeper.' }),
  'zookeeper.ssl.protocol': string('TLSv1.2', { doc: 'The TLS version tried with ZooKeeper.' }),
  'zookeeper.ssl.enabled.protocols': list(null, { doc: 'The TLS versions allowed with ZooKeeper.' }),
  'zookeeper.ssl.cipher.suites': list(null, { doc: 'The cipher suites allowed with ZooKeeper.' }),
  'zookeeper.ssl.endpoint.identification.algorithm': string('HTTPS', { doc: "How the host name in ZooKeeper's certificate is checked." }),
  'zookeeper.ssl.crl.enable': boolean(false, { doc: "Whether revocation lists are consulted for ZooKeeper's certificate." }),
  'zookeeper.ssl.ocsp.enable': boolean(false, { doc: "Whether OCSP is asked about ZooKeeper's certificate." }),
  'samsa.zookeeper.client': string('library', {
    doc: 'Which ZooKeeper client the broker uses: library (node-zookeeper-client) or own. A key of Samsa, unknown to Apache Kafka.',
    validator: oneOf('library', 'own'),
  }),

  'metrics.num.samples': int(2, { doc: 'How many windows a rate is averaged over.', validator: atLeast(1) }),
  'metrics.sample.window.ms': long(30_000, { doc: 'The length of a window that rates are measured in.', validator: atLeast(1) }),
  'metric.reporters': list('', {
    doc: 'Java classes that report metrics. Kept for Apache Kafka, without effect here.',
  }),
  'metrics.recording.level': string('INFO', { doc: 'How much detail is measured.', validator: oneOf('INFO', 'DEBUG', 'TRACE') }),
  'auto.include.jmx.reporter': boolean(true, { doc: 'Kept for Apache Kafka, without effect here: there is no JMX.' }),
  'kafka.metrics.reporters': list('', { doc: 'Kept for Apache Kafka, without effect here.' }),
  'kafka.metrics.polling.interval.secs': int(10, { doc: 'Kept for Apache Kafka, without effect here.', validator: atLeast(1) }),
  'telemetry.max.bytes': int(1_048_576, {
    doc: 'The largest telemetry message of a client. Used in KRaft mode only.',
    validator: atLeast(1),
  }),

  'quota.window.num': int(11, { doc: 'How many windows client quotas are averaged over.', validator: atLeast(1) }),
  'quota.window.size.seconds': int(1, { doc: 'The length of a window for client quotas.', validator: atLeast(1) }),
  'replication.quota.window.num': int(11, { doc: 'How many windows replication throttles are averaged over.', validator: atLeast(1) }),
  'replication.quota.window.size.seconds': int(1, { doc: 'The length of a window for replication throttles.', validator: atLeast(1) }),
  'alter.log.dirs.replication.quota.window.num': int(11, {
    doc: 'How many windows the throttle of moves between log directories is averaged over.',
    validator: atLeast(1),
  }),
  'alter.log.dirs.replication.quota.window.size.seconds': int(1, {
    doc: 'The length of a window for the throttle of moves between log directories.',
    validator: atLeast(1),
  }),
  'controller.quota.window.num': int(11, { doc: 'How many windows controller mutation quotas are averaged over.', validator: atLeast(1) }),
  'controller.quota.window.size.seconds': int(1, { doc: 'The length of a window for controller mutation quotas.', validator: atLeast(1) }),
  'client.quota.callback.class': className(null, { doc: 'A Java class that computes quotas. Kept for Apache Kafka, without effect here.' }),
};

/** Keys that exist only as dynamic broker settings (Kafka: `QuotaConfigs.brokerQuotaConfigs`), never in a properties file. */
export const dynamicOnlyBrokerKeys = {
  'leader.replication.throttled.rate': long(2 ** 63, {
    doc: 'Bytes a second that this broker sends to followers of throttled replicas.',
    validator: atLeast(0),
    dynamic: 'cluster-wide',
  }),
  'follower.replication.throttled.rate': long(2 ** 63, {
    doc: 'Bytes a second that this broker fetches for its throttled replicas.',
    validator: atLeast(0),
    dynamic: 'cluster-wide',
  }),
  'replica.alter.log.dirs.io.max.bytes.per.second': long(2 ** 63, {
    doc: 'Bytes a second for moving replicas between the log directories of this broker.',
    validator: atLeast(0),
    dynamic: 'cluster-wide',
  }),
};
