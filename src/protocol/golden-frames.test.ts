import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { allApis, apiByKey } from './apis.ts';
import type { Codec } from './api.ts';
import { loadDefinitions } from './generator/load.ts';
import { Reader } from './reader.ts';
import { wireValues, type Message } from './testing/messages.ts';
import { Writer } from './writer.ts';

interface Frame {
  readonly key: number;
  readonly version: number;
  readonly kind: 'request' | 'response';
  /** In wire order, names dropped. */
  readonly values: readonly unknown[];
  readonly hex: string;
}

const definitions = await loadDefinitions();

function load(file: string): Frame[] {
  const path = join(import.meta.dirname, 'testing', 'fixtures', file);
  return (JSON.parse(readFileSync(path, 'utf8')) as { frames: Frame[] }).frames;
}

const files = ['kafka-python.json', 'platformatic.json', 'kafka-definitions.json'];

describe.each(files)('bodies encoded by another implementation (%s)', (file) => {
  const known = load(file).filter(({ key, version }) => {
    const api = apiByKey(key);
    return api !== undefined && version >= api.minVersion && version <= api.maxVersion;
  });
  const named = known.map((frame) => [`${apiByKey(frame.key)!.name} v${frame.version} ${frame.kind}`, frame] as const);

  it.each(named)('%s', (_name, frame) => {
    const api = apiByKey(frame.key)!;
    const definition = definitions.find((candidate) => candidate.kind === 'api' && candidate.key === frame.key);
    if (definition?.kind !== 'api') throw new Error('no definition');
    const codec = (frame.kind === 'request' ? api.request : api.response) as Codec<unknown, Message>;
    const reader = new Reader(Buffer.from(frame.hex, 'hex'));
    const message = codec.decode(reader, frame.version) as Message;
    // Flat: an array of one-field structs is an array of scalars elsewhere, on the same bytes.
    expect(wireValues(definition[frame.kind], message, frame.version).flat(Infinity)).toEqual(frame.values.flat(Infinity));
    expect(reader.remaining).toBe(0);
    const writer = new Writer();
    codec.encode(writer, message, frame.version);
    expect(writer.toBuffer().toString('hex')).toBe(frame.hex);
  });
});

describe('the fixtures', () => {
  it('hold a frame of every API but those that only brokers or one implementation of their own speak', () => {
    const covered = new Set(files.flatMap(load).map((frame) => frame.key));
    const missing = allApis.filter((api) => !covered.has(api.key)).map((api) => api.name);
    expect(missing).toEqual([]);
  });
});
