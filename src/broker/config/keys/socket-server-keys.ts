/** Broker keys: listeners, connections, queues, security of connections. Kafka 3.9: `SocketServerConfigs`, `BrokerSecurityConfigs`, `SslConfigs`, `SaslConfigs`. */
import { atLeast, boolean, className, int, INT_MAX, list, long, oneOf, password, string } from '../config-def.ts';

export const socketServerKeys = {
  listeners: string('PLAINTEXT://:9092', {
    doc: 'Where the broker listens, as NAME://host:port, separated by commas. No host means all interfaces; localhost means 127.0.0.1 and ::1.',
  }),
  'advertised.listeners': string(null, {
    doc: 'The addresses that clients and other brokers are told, as NAME://host:port; by default those of listeners.',
  }),
  'listener.security.protocol.map': string('SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT', {
    doc: 'Which security protocol each listener name stands for, as NAME:PROTOCOL, separated by commas.',
  }),
  'control.plane.listener.name': string(null, {
    doc: 'The listener that the controller speaks to brokers on; by default it uses the inter-broker listener.',
  }),
  'socket.send.buffer.bytes': int(102_400, { doc: 'The send buffer of a socket. Left to the operating system here.' }),
  'socket.receive.buffer.bytes': int(102_400, { doc: 'The receive buffer of a socket. Left to the operating system here.' }),
  'socket.request.max.bytes': int(104_857_600, {
    doc: 'The largest request. A connection that announces more is closed.',
    validator: atLeast(1),
  }),
  'socket.listen.backlog.size': int(50, {
    doc: 'How many connections may wait to be accepted.',
    validator: atLeast(1),
  }),
  'max.connections.per.ip': int(INT_MAX, {
    doc: 'The most connections from one address; further ones are closed at once.',
    validator: atLeast(0),
    dynamic: 'cluster-wide',
  }),
  'max.connections.per.ip.overrides': string('', {
    doc: 'Other limits for single addresses, as address:count, separated by commas.',
    dynamic: 'cluster-wide',
  }),
  'max.connections': int(INT_MAX, {
    doc: 'The most connections of the broker. Further ones wait; on the inter-broker listener, when it is one of several, the idlest of another listener makes room.',
    validator: atLeast(0),
    dynamic: 'cluster-wide',
  }),
  'max.connection.creation.rate': int(INT_MAX, {
    doc: 'The most connections accepted a second; further ones wait.',
    validator: atLeast(0),
    dynamic: 'cluster-wide',
  }),
  'connections.max.idle.ms': long(600_000, { doc: 'A connection without a request for this long is closed; -1 keeps it.' }),
  'connection.failed.authentication.delay.ms': int(100, {
    doc: 'How long the closing of a connection whose authentication failed is put off.',
    validator: atLeast(0),
  }),
  'queued.max.requests': int(500, {
    doc: 'How many requests may wait for a handler. When that many do, sockets are not read.',
    validator: atLeast(1),
  }),
  'queued.max.request.bytes': long(-1, {
    doc: 'How many bytes of requests may be in memory before no further one is read; -1 is no limit.',
  }),
  'num.network.threads': int(3, {
    doc: 'Processors per listener: connections are dealt to them in turn. All share one event loop here; a change applies at the next start.',
    validator: atLeast(1),
  }),

  'security.inter.broker.protocol': string('PLAINTEXT', {
    doc: "The security protocol between brokers, when inter.broker.listener.name isn't set.",
    validator: oneOf('PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'),
  }),
  'inter.broker.listener.name': string(null, { doc: 'The listener that brokers use among themselves.' }),
  'connections.max.reauth.ms': long(0, { doc: 'How long a SASL login is valid before it must be repeated; 0 is for ever.' }),
  'sasl.server.max.receive.size': int(524_288, { doc: 'The largest message of a SASL login.' }),
  'sasl.enabled.mechanisms': list('GSSAPI', { doc: 'The SASL mechanisms that clients may log in with.' }),
  'sasl.mechanism.inter.broker.protocol': string('GSSAPI', { doc: 'The SASL mechanism that brokers log in with at other brokers.' }),
  'sasl.jaas.config': password({ doc: 'The logins of a listener and mechanism, in the JAAS form.' }),
  'principal.builder.class': className(null, { doc: 'A Java class that names users. Kept for Apache Kafka, without effect here.' }),
  'ssl.client.auth': string('none', {
    doc: 'Whether a client must show a certificate: required, requested, none.',
    validator: oneOf('required', 'requested', 'none'),
  }),
  'ssl.principal.mapping.rules': string('DEFAULT', { doc: "How a certificate's distinguished name becomes a user name." }),
  'ssl.protocol': string('TLSv1.3', { doc: 'The newest TLS version to use.' }),
  'ssl.enabled.protocols': list('TLSv1.2,TLSv1.3', { doc: 'The TLS versions allowed.' }),
  'ssl.cipher.suites': list('', { doc: 'The cipher suites allowed; empty is all that are safe.' }),
  'ssl.keystore.type': string('JKS', { doc: 'The form of the key store: PEM, PKCS12 or JKS.' }),
  'ssl.keystore.location': string(null, { doc: 'Where the key store lies.' }),
  'ssl.keystore.password': password({ doc: 'The password of the key store.' }),
  'ssl.key.password': password({ doc: 'The password of the private key in the key store.' }),
  'ssl.keystore.key': password({ doc: 'The private key itself, in the PEM form.' }),
  'ssl.keystore.certificate.chain': password({ doc: 'The certificate chain itself, in the PEM form.' }),
  'ssl.truststore.type': string('JKS', { doc: 'The form of the trust store: PEM, PKCS12 or JKS.' }),
  'ssl.truststore.location': string(null, { doc: 'Where the trust store lies.' }),
  'ssl.truststore.password': password({ doc: 'The password of the trust store.' }),
  'ssl.truststore.certificates': password({ doc: 'The trusted certificates themselves, in the PEM form.' }),
  'ssl.endpoint.identification.algorithm': string('https', { doc: 'How a host name in a certificate is checked.' }),
  'ssl.allow.dn.changes': boolean(false, { doc: 'Whether a new key store may have another distinguished name.' }),
  'ssl.allow.san.changes': boolean(false, { doc: 'Whether a new key store may have other alternative names.' }),
  'password.encoder.secret': password({ doc: 'The secret that passwords in dynamic settings are encrypted with.' }),
  'password.encoder.old.secret': password({ doc: 'The secret used before password.encoder.secret was changed.' }),
};
