/** The API versions of one broker, and which of them a request goes out with. Source: NodeApiVersions, KIP-35. */
import { UnsupportedVersionError } from './errors.ts';

export interface ApiVersionRange {
  readonly apiKey: number;
  readonly minVersion: number;
  readonly maxVersion: number;
}

/** What a broker advertises, by API key. */
export type BrokerApiVersions = ReadonlyMap<number, ApiVersionRange>;

export interface VersionDemand {
  readonly apiKey: number;
  readonly apiName: string;
  readonly minVersion: number;
  readonly maxVersion: number;
}

/**
 * The highest version that both sides have. Without `broker` (no negotiation took place) the highest of ours.
 * Throws `UnsupportedVersionError` when there is none.
 */
export function selectVersion(demand: VersionDemand, broker: BrokerApiVersions | undefined): number {
  if (broker === undefined) return demand.maxVersion;
  const range = broker.get(demand.apiKey);
  if (range === undefined) throw new UnsupportedVersionError(demand.apiName, `the broker does not have ${demand.apiName}`);
  const version = Math.min(demand.maxVersion, range.maxVersion);
  if (version >= demand.minVersion && version >= range.minVersion) return version;
  throw new UnsupportedVersionError(
    demand.apiName,
    `${demand.apiName} is needed in version ${demand.minVersion} to ${demand.maxVersion}, the broker has ${range.minVersion} to ${range.maxVersion}`,
  );
}
