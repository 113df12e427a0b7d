/** How definitions' types look in TypeScript: type names, defaults, tests for defaults, and least sizes. */
import { parseVersions, type FieldDefinition, type FieldType, type ScalarType, type StructType } from './definition.ts';
import { intersect, isEmpty, type Range } from './ranges.ts';

const SCALAR_TYPES: Record<ScalarType, string> = {
  bool: 'boolean',
  int8: 'number',
  int16: 'number',
  uint16: 'number',
  int32: 'number',
  int64: 'number',
  timestamp: 'number',
  float64: 'number',
  string: 'string',
  uuid: 'string',
  bytes: 'Buffer',
  records: 'readonly Buffer[]',
};

/** Least bytes of a value, flexible or not. */
const SCALAR_BYTES: Record<ScalarType, number> = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  int64: 8,
  timestamp: 8,
  float64: 8,
  string: 1,
  uuid: 16,
  bytes: 1,
  records: 1,
};

/** Names that generated functions use themselves, and JavaScript's keywords. */
const RESERVED = new Set(
  (
    'reader writer message version flexible count index tag tags end scratch element elements ' +
    'break case catch class const default delete do else enum export for function if import in new ' +
    'null return switch this throw true false try type typeof var void while with yield let static'
  ).split(' '),
);

/** A field's name as a local variable. */
export function localName(name: string): string {
  return RESERVED.has(name) ? `${name}Value` : name;
}

export function typeName(type: FieldType, input: boolean): string {
  if (typeof type === 'string') return SCALAR_TYPES[type];
  if (type.kind === 'struct') return input ? `${type.name}Input` : type.name;
  return `readonly ${typeName(type.element, input)}[]`;
}

/** A field's type; `| null` when a version of `range` allows null. */
export function tsType(field: FieldDefinition, range: Range, input: boolean): string {
  const type = typeName(field.type, input);
  return isEmpty(intersect(parseVersions(field.nullable), range)) ? type : `${type} | null`;
}

/** An encoder may leave it out: it has a default, is tagged, or is missing in some version. */
export function isOptional(field: FieldDefinition, messageRange: Range): boolean {
  const versions = parseVersions(field.versions);
  return field.default !== undefined || field.tag !== undefined || versions.min > 0 || versions.max < messageRange.max;
}

/** The value of a field that is absent, as TypeScript. */
export function defaultLiteral(field: FieldDefinition): string {
  if (field.default !== undefined) return typeof field.default === 'string' ? `'${field.default}'` : String(field.default);
  const type = field.type;
  if (typeof type !== 'string') return type.kind === 'array' ? '[]' : `DEFAULT_${type.name}`;
  switch (type) {
    case 'bool':
      return 'false';
    case 'string':
      return `''`;
    case 'uuid':
      return 'ZERO_UUID';
    case 'bytes':
      return 'EMPTY_BYTES';
    case 'records':
      return field.nullable === undefined ? '[]' : 'null';
    default:
      return '0';
  }
}

/** An expression that is true when `value` is the field's default. */
export function isDefaultExpression(field: FieldDefinition, value: string): string {
  const literal = defaultLiteral(field);
  const type = field.type;
  if (literal === 'null') return `${value} === null`;
  if (typeof type !== 'string' && type.kind === 'struct') return `isDefault${type.name}(${value})`;
  if (literal === '[]' || literal === 'EMPTY_BYTES')
    return field.nullable === undefined ? `${value}.length === 0` : `${value}?.length === 0`;
  return `${value} === ${literal}`;
}

/** Least bytes that a value takes in any version of `range`: what bounds an array's count. */
export function minimumBytes(type: ScalarType | StructType, range: Range): number {
  if (typeof type === 'string') return SCALAR_BYTES[type];
  let least = Infinity;
  for (let version = range.min; version <= range.max; version++) least = Math.min(least, bytesInVersion(type, version));
  return Math.max(least, 1);
}

function bytesInVersion(struct: StructType, version: number): number {
  let total = 0;
  for (const field of struct.fields) {
    const versions = parseVersions(field.versions);
    if (field.tag !== undefined || version < versions.min || version > versions.max) continue;
    if (typeof field.type === 'string') total += SCALAR_BYTES[field.type];
    else total += field.type.kind === 'array' ? 1 : bytesInVersion(field.type, version);
  }
  return total;
}
