/** All APIs that we know, those among brokers included, and the look-up by key. What a broker advertises is its own matter. */
import type { AnyApi } from './api.ts';
import { allApis } from './generated/all-apis.ts';

const BY_KEY: readonly (AnyApi | undefined)[] = allApis.reduce<(AnyApi | undefined)[]>((table, api) => {
  table[api.key] = api;
  return table;
}, []);

export { allApis };

/** The API of a request's key; undefined: none that we know. */
export function apiByKey(key: number): AnyApi | undefined {
  return BY_KEY[key];
}
