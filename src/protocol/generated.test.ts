import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AnyApi, Codec } from './api.ts';
import { allApis } from './apis.ts';
import { parseVersions, type FieldDefinition } from './generator/definition.ts';
import { loadDefinitions } from './generator/load.ts';
import { ProtocolError } from './protocol-error.ts';
import { Reader } from './reader.ts';
import { arbitraryMessage, type Message } from './testing/messages.ts';
import { Writer } from './writer.ts';

type AnyCodec = Codec<unknown, Message>;

interface Subject {
  readonly name: string;
  readonly codec: AnyCodec;
  readonly fields: readonly FieldDefinition[];
  readonly versions: readonly number[];
}

const definitions = await loadDefinitions();
const subjects: Subject[] = [];
for (const definition of definitions) {
  const { min, max } = parseVersions(definition.versions);
  const versions = Array.from({ length: max - min + 1 }, (_, index) => min + index);
  if (definition.kind === 'data') {
    const file = definition.name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase();
    const module = (await import(`./generated/${file}.ts`)) as Record<string, AnyCodec>;
    subjects.push({ name: definition.name, codec: module[definition.name]!, fields: definition.fields, versions });
    continue;
  }
  const api = allApis.find((candidate) => candidate.key === definition.key) as AnyApi;
  subjects.push({ name: `${definition.name}Request`, codec: api.request, fields: definition.request, versions });
  subjects.push({ name: `${definition.name}Response`, codec: api.response, fields: definition.response, versions });
}

function encode(codec: AnyCodec, message: Message, version: number): Buffer {
  const writer = new Writer(16);
  codec.encode(writer, message, version);
  const size = writer.size;
  const buffer = Buffer.concat(writer.finish());
  expect(buffer.length).toBe(size);
  return buffer;
}

/** Decodes and allows for `ProtocolError` only. */
function decodesOrRefuses(codec: AnyCodec, buffer: Buffer, version: number): void {
  try {
    codec.decode(new Reader(buffer), version);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
}

describe.each(subjects)('$name', ({ codec, fields, versions }) => {
  it('is read back as it was written, in every version, to the last byte', () => {
    for (const version of versions) {
      fc.assert(
        fc.property(arbitraryMessage(fields, version), (message) => {
          const buffer = encode(codec, message, version);
          const reader = new Reader(buffer);
          expect(codec.decode(reader, version)).toEqual(message);
          expect(reader.remaining).toBe(0);
        }),
        { numRuns: 15 },
      );
    }
  });

  it('is never read from a part of itself, and damaged bytes end in a value or a ProtocolError', () => {
    for (const version of versions) {
      fc.assert(
        fc.property(arbitraryMessage(fields, version), fc.nat(), fc.nat(255), (message, where, value) => {
          const buffer = encode(codec, message, version);
          if (buffer.length === 0) return;
          const position = where % buffer.length;
          expect(() => codec.decode(new Reader(buffer, 0, position), version)).toThrow(ProtocolError);
          buffer[position] = value;
          decodesOrRefuses(codec, buffer, version);
        }),
        { numRuns: 10 },
      );
    }
  });

  it('random bytes end in a value or a ProtocolError', () => {
    for (const version of versions) {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => decodesOrRefuses(codec, Buffer.from(bytes), version)),
        { numRuns: 20 },
      );
    }
  });

  it('has no versions beside its own', () => {
    const reader = (): Reader => new Reader(Buffer.alloc(64));
    for (const version of [versions[0]! - 1, versions.at(-1)! + 1]) {
      expect(() => codec.decode(reader(), version)).toThrow(/has no version/);
      expect(() => codec.encode(new Writer(), {}, version)).toThrow(/has no version/);
    }
  });
});
