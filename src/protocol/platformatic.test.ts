/**
 * Responses that we encode, read by @platformatic/kafka's parsers, for every API and version that it has: all values of
 * ours must be among those it read. And batches that its producer makes, checked by us.
 */
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { AnyApi, Codec } from './api.ts';
import { allApis } from './apis.ts';
import { Fetch } from './generated/fetch.ts';
import { Produce } from './generated/produce.ts';
import { loadDefinitions } from './generator/load.ts';
import { Reader } from './reader.ts';
import { iterateRecords } from './records/record-reader.ts';
import { validateBatch } from './records/validate-batch.ts';
import { distinctMessage, wireValues, type Message } from './testing/messages.ts';
import { uuidFromBytes } from './uuid.ts';
import { Writer } from './writer.ts';

interface TheirModule {
  createRequest(...given: unknown[]): { buffer: Buffer };
  parseResponse(correlationId: number, apiKey: number, apiVersion: number, reader: unknown): unknown;
}

const root = join(dirname(createRequire(import.meta.url).resolve('@platformatic/kafka')));
const folders = ['admin', 'consumer', 'metadata', 'producer', 'security'].map((name) => join(root, 'apis', name));
const files = new Map(folders.flatMap((folder) => readdirSync(folder).map((file) => [file, join(folder, file)] as const)));
const { Reader: TheirReader } = (await import(pathToFileURL(join(root, 'protocol', 'reader.js')).href)) as {
  Reader: { from(buffer: Buffer): unknown };
};

async function theirModule(api: AnyApi, version: number): Promise<TheirModule | undefined> {
  const path = files.get(`${api.name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase()}-v${version}.js`);
  return path === undefined ? undefined : ((await import(pathToFileURL(path).href)) as TheirModule);
}

/** Scalars in it, as text, whatever the structure; uuids in our form. */
function leaves(value: unknown, into: string[] = []): string[] {
  if (value === null || value === undefined || value === '') return into;
  if (Buffer.isBuffer(value)) into.push(value.toString('hex'));
  else if (Array.isArray(value)) for (const element of value) leaves(element, into);
  else if (value instanceof Map) for (const [key, element] of value) leaves([key, element], into);
  else if (typeof value === 'object') leaves(Object.values(value), into);
  else if (typeof value === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value)) {
    into.push(uuidFromBytes(Buffer.from(value.replaceAll('-', ''), 'hex')));
  } else into.push(`${value as string | number | bigint | boolean}`);
  return into;
}

/** What it made of a response. It throws where there is an error code or message in it, with all that it read. */
function parsed(module: TheirModule, api: AnyApi, version: number, body: Buffer): unknown {
  try {
    return module.parseResponse(0, api.key, version, TheirReader.from(body));
  } catch (error) {
    if (error instanceof Error && 'response' in error) return error.response;
    throw error;
  }
}

/** It would read them as batches. */
function withoutRecords(message: Message): void {
  for (const topic of message['responses'] as Message[])
    for (const partition of topic['partitions'] as Message[]) partition['records'] = [];
}

/** Reads differently or not at all, by a fault or a liberty of its own. */
const LEFT_OUT: Record<string, string> = {
  'ListOffsets v0': 'keeps the first of the old-style offsets only',
  'OffsetCommit v1': 'its module exports no parser',
  'DescribeConfigs v0': 'drops isDefault',
};

const definitions = await loadDefinitions();
const cases: [string, AnyApi, number, TheirModule][] = [];
for (const api of allApis) {
  for (let version = api.minVersion; version <= api.maxVersion; version++) {
    const module = await theirModule(api, version);
    const name = `${api.name} v${version}`;
    if (module !== undefined && LEFT_OUT[name] === undefined) cases.push([name, api, version, module]);
  }
}

describe('responses of ours, read by @platformatic/kafka', () => {
  it.each(cases)('%s', (_name, api, version, module) => {
    const definition = definitions.find((candidate) => candidate.kind === 'api' && candidate.key === api.key);
    if (definition?.kind !== 'api') throw new Error('no definition');
    const message = distinctMessage(definition.response, version);
    if (api.key === Fetch.key) withoutRecords(message);
    const writer = new Writer();
    (api.response as Codec<unknown, Message>).encode(writer, message, version);
    const theirs = leaves(parsed(module, api, version, writer.toBuffer()));
    const missing = leaves(wireValues(definition.response, message, version));
    for (const leaf of theirs) {
      const index = missing.indexOf(leaf);
      if (index >= 0) missing.splice(index, 1);
    }
    expect(missing).toEqual([]);
  });

  it('covers most APIs', () => {
    expect(new Set(cases.map(([, api]) => api.key)).size).toBeGreaterThan(45);
  });
});

describe('batches that @platformatic/kafka makes', () => {
  const messages = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

  it.each(messages)('with codec %s are valid and hold its messages', async (compression) => {
    for (const version of [3, 7, 8, 9, 11]) {
      const module = await theirModule(Produce, version);
      const value = Buffer.from('value '.repeat(200));
      const topicData = [
        {
          topic: 't',
          partition: 3,
          key: Buffer.from('k0'),
          value,
          timestamp: 1_700_000_000_000n,
          headers: new Map([[Buffer.from('h'), Buffer.from('x')]]),
        },
        { topic: 't', partition: 3, key: Buffer.from('k1'), value, timestamp: 1_700_000_000_005n },
      ];
      const { buffer } = module!.createRequest(-1, 3000, topicData, { compression });
      const request = Produce.request.decode(new Reader(Buffer.from(buffer)), version);
      expect(request).toMatchObject({ acks: -1, timeoutMs: 3000, topicData: [{ name: 't', partitionData: [{ index: 3 }] }] });
      const batch = request.topicData[0]!.partitionData[0]!.records![0]!;
      expect(validateBatch(batch, 0, { fromClient: true, openCompressed: true })).toMatchObject({ ok: true });
      expect([...iterateRecords(batch, 1 << 20)]).toEqual([
        { offset: 0, timestamp: 1_700_000_000_000, key: Buffer.from('k0'), value, headers: [{ key: 'h', value: Buffer.from('x') }] },
        { offset: 1, timestamp: 1_700_000_000_005, key: Buffer.from('k1'), value, headers: [] },
      ]);
    }
  });
});
