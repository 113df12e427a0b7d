/**
 * A broker as it registers itself in `/brokers/ids/N`: its endpoints, rack and features.
 *
 * Registration is read in versions 1 to 5 and written in version 5. The **broker epoch** is not part of the JSON: it is the
 * znode's czxid, so that a broker that left and came back is told from the one before (KAFKA-1120, KIP-380).
 * Source: kafka.zk.BrokerIdZNode, kafka.cluster.EndPoint.
 */
import { arrayOf, int32Of, integerOf, isRecord, parseZNodeJson, recordOf, stringOf, ZNodeFormatError } from './znode-json.ts';

export type SecurityProtocol = 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';

/** Ids on the wire (UpdateMetadata). */
export const SECURITY_PROTOCOL_IDS: Readonly<Record<SecurityProtocol, number>> = { PLAINTEXT: 0, SSL: 1, SASL_PLAINTEXT: 2, SASL_SSL: 3 };

/** `name` as a security protocol (Kafka's spelling, any case), or undefined. */
export function asSecurityProtocol(name: string): SecurityProtocol | undefined {
  const upper = name.toUpperCase();
  return upper === 'PLAINTEXT' || upper === 'SSL' || upper === 'SASL_PLAINTEXT' || upper === 'SASL_SSL' ? upper : undefined;
}

export interface BrokerEndpoint {
  /** Upper case, as Kafka normalises it. */
  readonly listenerName: string;
  readonly securityProtocol: SecurityProtocol;
  readonly host: string;
  readonly port: number;
}

/** Versions of a feature that a broker supports (KIP-584). */
export type SupportedFeatures = Readonly<Record<string, { readonly min_version: number; readonly max_version: number }>>;

export interface BrokerInfo {
  readonly id: number;
  readonly endpoints: readonly BrokerEndpoint[];
  readonly rack: string | undefined;
  readonly features: SupportedFeatures;
  readonly jmxPort: number;
}

export interface BrokerAndEpoch {
  readonly broker: BrokerInfo;
  /** czxid of the registration. */
  readonly brokerEpoch: number;
}

export function encodeBrokerInfo(broker: BrokerInfo, timestampMs: number): Buffer {
  const plaintext = broker.endpoints.find((endpoint) => endpoint.securityProtocol === 'PLAINTEXT');
  const map: Record<string, string> = {};
  for (const endpoint of broker.endpoints) map[endpoint.listenerName] = endpoint.securityProtocol;
  return Buffer.from(
    JSON.stringify({
      version: 5,
      host: plaintext?.host ?? null,
      port: plaintext?.port ?? -1,
      jmx_port: broker.jmxPort,
      timestamp: String(timestampMs),
      endpoints: broker.endpoints.map(endpointString),
      ...(broker.rack === undefined ? {} : { rack: broker.rack }),
      listener_security_protocol_map: map,
      features: broker.features,
    }),
  );
}

/** Throws ZNodeFormatError when it is no registration of version 1 to 5. */
export function decodeBrokerInfo(brokerId: number, path: string, data: Buffer): BrokerInfo {
  const json = recordOf(parseZNodeJson(path, data), path, 'registration');
  const version = integerOf(json['version'], path, 'version');
  if (version < 1) throw new ZNodeFormatError(path, `broker registration of version ${version}`);
  const rack = json['rack'];
  return {
    id: brokerId,
    endpoints: version === 1 ? [endpointOfVersion1(json, path)] : endpointsOf(json, path),
    rack: typeof rack === 'string' ? rack : undefined,
    features: featuresOf(json['features'], path),
    jmxPort: typeof json['jmx_port'] === 'number' ? json['jmx_port'] : -1,
  };
}

function endpointOfVersion1(json: Record<string, unknown>, path: string): BrokerEndpoint {
  const host = stringOf(json['host'], path, 'host');
  return { listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host, port: int32Of(json['port'], path, 'port') };
}

function endpointsOf(json: Record<string, unknown>, path: string): BrokerEndpoint[] {
  const map = json['listener_security_protocol_map'];
  const protocols = new Map<string, SecurityProtocol>();
  if (isRecord(map)) {
    for (const [listener, name] of Object.entries(map)) {
      const protocol = typeof name === 'string' ? asSecurityProtocol(name) : undefined;
      if (protocol !== undefined) protocols.set(listener.toUpperCase(), protocol);
    }
  }
  return arrayOf(json['endpoints'], path, 'endpoints').map((entry) => parseEndpoint(stringOf(entry, path, 'endpoint'), protocols, path));
}

/** `LISTENER://host:port`, the host of an IPv6 address in brackets. */
export function endpointString(endpoint: BrokerEndpoint): string {
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host;
  return `${endpoint.listenerName}://${host}:${endpoint.port}`;
}

const ENDPOINT = /^([^:/]+):\/\/(?:\[([^\]]*)\]|([^:[\]]*)):(-?\d+)$/;

function parseEndpoint(text: string, protocols: ReadonlyMap<string, SecurityProtocol>, path: string): BrokerEndpoint {
  const match = ENDPOINT.exec(text);
  if (match === null) throw new ZNodeFormatError(path, `endpoint ${JSON.stringify(text)}`);
  const listenerName = (match[1] ?? '').toUpperCase();
  const securityProtocol = protocols.get(listenerName) ?? asSecurityProtocol(listenerName);
  if (securityProtocol === undefined) throw new ZNodeFormatError(path, `listener ${listenerName} without a security protocol`);
  return { listenerName, securityProtocol, host: match[2] ?? match[3] ?? '', port: int32Of(Number(match[4]), path, 'port') };
}

function featuresOf(value: unknown, path: string): SupportedFeatures {
  if (!isRecord(value)) return {};
  const features: Record<string, { min_version: number; max_version: number }> = {};
  for (const [name, range] of Object.entries(value)) {
    const fields = recordOf(range, path, `feature ${name}`);
    // Brokers before 3.3 wrote only max_version for a minimum of 1.
    const min = typeof fields['min_version'] === 'number' ? fields['min_version'] : 1;
    features[name] = { min_version: min, max_version: integerOf(fields['max_version'], path, `feature ${name}`) };
  }
  return features;
}

/** Whether what clients and other brokers are told about the broker differs. */
export function sameEndpointsAndFeatures(a: BrokerInfo, b: BrokerInfo): boolean {
  return (
    a.endpoints.length === b.endpoints.length &&
    a.endpoints.every((endpoint, index) => {
      const other = b.endpoints[index];
      return (
        other !== undefined && endpointString(other) === endpointString(endpoint) && other.securityProtocol === endpoint.securityProtocol
      );
    }) &&
    JSON.stringify(a.features) === JSON.stringify(b.features)
  );
}
