/**
 * Messages made from definitions, for tests: arbitrary ones (property tests), and the wire order of a message's values
 * (golden frames of other implementations, whose names for fields differ but whose order can't).
 */
import * as fc from 'fast-check';
import type { FieldDefinition, FieldType, ScalarType, StructType } from '../generator/definition.ts';
import { parseVersions } from '../generator/definition.ts';
import { uuidFromBytes, ZERO_UUID } from '../uuid.ts';

export type Message = Record<string, unknown>;

export function existsIn(versions: string | undefined, version: number): boolean {
  const range = parseVersions(versions);
  return version >= range.min && version <= range.max;
}

const bytes = fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array));
const safeInteger = fc.oneof(fc.maxSafeInteger(), fc.constantFrom(-1, 0, 2 ** 31, 2 ** 32, -(2 ** 32)));

const SCALARS: Record<ScalarType, fc.Arbitrary<unknown>> = {
  bool: fc.boolean(),
  int8: fc.integer({ min: -128, max: 127 }),
  int16: fc.integer({ min: -32768, max: 32767 }),
  uint16: fc.integer({ min: 0, max: 65535 }),
  int32: fc.integer(),
  int64: safeInteger,
  timestamp: safeInteger,
  float64: fc.double({ noNaN: true }),
  string: fc.oneof(fc.string({ maxLength: 12 }), fc.string({ unit: 'grapheme', maxLength: 60 })),
  uuid: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((array) => uuidFromBytes(Buffer.from(array))),
  bytes,
  records: bytes.map((buffer) => [buffer]),
};

/** Any message of `fields` that `version` can carry: fields which it lacks have their defaults. */
export function arbitraryMessage(fields: readonly FieldDefinition[], version: number): fc.Arbitrary<Message> {
  const model: Record<string, fc.Arbitrary<unknown>> = {};
  for (const field of fields) {
    model[field.name] = existsIn(field.versions, version) ? arbitraryField(field, version) : fc.constant(defaultOf(field));
  }
  return fc.record(model);
}

function arbitraryField(field: FieldDefinition, version: number): fc.Arbitrary<unknown> {
  const value = arbitraryValue(field.type, version);
  const either = field.tag === undefined ? value : fc.oneof(value, fc.constant(defaultOf(field)));
  return existsIn(field.nullable, version) ? fc.option(either, { nil: null }) : either;
}

function arbitraryValue(type: FieldType, version: number): fc.Arbitrary<unknown> {
  if (typeof type === 'string') return SCALARS[type];
  if (type.kind === 'struct') return arbitraryMessage(type.fields, version);
  return fc.array(arbitraryValue(type.element, version), { maxLength: 3 });
}

/** What a field is where it is absent. Written beside the generator's own, so that one checks the other. */
export function defaultOf(field: FieldDefinition): unknown {
  if (field.default !== undefined) return field.default;
  const type = field.type;
  if (typeof type !== 'string')
    return type.kind === 'array' ? [] : Object.fromEntries(type.fields.map((inner) => [inner.name, defaultOf(inner)]));
  if (type === 'string') return '';
  if (type === 'bool') return false;
  if (type === 'uuid') return ZERO_UUID;
  if (type === 'bytes') return Buffer.alloc(0);
  if (type === 'records') return field.nullable === undefined ? [] : null;
  return 0;
}

/** A message's values in wire order, names dropped, tagged fields left out; buffers as hex. */
export function wireValues(fields: readonly FieldDefinition[], message: Message, version: number): unknown[] {
  const values: unknown[] = [];
  for (const field of fields) {
    if (field.tag === undefined && existsIn(field.versions, version)) values.push(wireValue(field.type, message[field.name], version));
  }
  return values;
}

function wireValue(type: FieldType, value: unknown, version: number): unknown {
  if (value === null) return null;
  if (typeof type !== 'string') {
    if (type.kind === 'struct') return wireValues(type.fields, value as Message, version);
    return (value as readonly unknown[]).map((element) => wireValue(type.element, element, version));
  }
  if (type === 'bytes') return (value as Buffer).toString('hex');
  if (type === 'records') return Buffer.concat(value as readonly Buffer[]).toString('hex');
  return value;
}

/** A message whose numbers and strings are all different, so that two swapped fields show. */
export function distinctMessage(fields: readonly FieldDefinition[], version: number, counter: { next: number } = { next: 1 }): Message {
  const message: Message = {};
  for (const field of fields) {
    message[field.name] = existsIn(field.versions, version) ? distinctValue(field, field.type, version, counter) : defaultOf(field);
  }
  return message;
}

function distinctValue(field: FieldDefinition, type: FieldType | StructType, version: number, counter: { next: number }): unknown {
  if (typeof type !== 'string') {
    if (type.kind === 'struct') return distinctMessage(type.fields, version, counter);
    return [distinctValue(field, type.element, version, counter), distinctValue(field, type.element, version, counter)];
  }
  if (field.name === 'errorCode') return 0;
  const number = counter.next++;
  switch (type) {
    case 'bool':
      return true;
    case 'string':
      return `s${number}`;
    case 'uuid':
      return uuidFromBytes(Buffer.alloc(16, number));
    case 'bytes':
      return Buffer.from(`b${number}`);
    case 'records':
      return [Buffer.from(`r${number}`)];
    case 'int8':
      return number % 100;
    case 'int64':
    case 'timestamp':
      return 2 ** 40 + number;
    default:
      return number;
  }
}
