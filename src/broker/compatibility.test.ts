import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { silentLogger } from '../runtime/node/node-logger.ts';
import { KafkaApis } from './api/kafka-apis.ts';
import type { BrokerParts } from './broker-parts.ts';
import { createRoutes } from './broker-routes.ts';

/** The rows `| key | name | versions | …` of the first table. */
function documented(): string[] {
  const text = readFileSync(new URL('../../docs/compatibility.md', import.meta.url), 'utf8');
  const table = text.slice(text.indexOf('## APIs served'), text.indexOf('## APIs that Kafka'));
  return [...table.matchAll(/^\| (\d+) \| \w+ \| (\d+)(?:-(\d+))? \|/gm)].map(([, key, min, max]) => `${key}: ${min}-${max ?? min}`);
}

it('serves exactly the APIs and versions that docs/compatibility.md names', () => {
  // Routes only keep their parts for later: none is touched while the table is made.
  const parts = new Proxy({} as BrokerParts, { get: () => ({}) });
  const apis = new KafkaApis({ routes: createRoutes(parts), logger: silentLogger });
  expect(apis.advertised().map(({ apiKey, minVersion, maxVersion }) => `${apiKey}: ${minVersion}-${maxVersion}`)).toEqual(documented());
});
