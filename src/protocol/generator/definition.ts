/**
 * The language in which the messages of `definitions/` are written: plain data, no behaviour.
 *
 * A field says in which versions it exists (`'0+'`, `'3-5'`, `'2'`), in which it may be null, whether it is a
 * tagged field, what it is where it does not exist (`default`), and whether an encoder may drop a set value that the
 * version has no place for (`ignorable`). One `struct` value may be used at several places: it becomes one type.
 *
 * Differs from Apache Kafka's JSON: `timestamp` is an int64 that is read lossily past 2^53; maps are plain arrays.
 * Source: the README beside Kafka's message definitions, KIP-482 (tagged fields).
 */

export type ScalarType =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'int64'
  | 'timestamp'
  | 'float64'
  | 'string'
  | 'uuid'
  | 'bytes'
  | 'records';

export interface StructType {
  readonly kind: 'struct';
  readonly name: string;
  readonly fields: readonly FieldDefinition[];
}

export interface ArrayType {
  readonly kind: 'array';
  readonly element: ScalarType | StructType;
}

export type FieldType = ScalarType | ArrayType | StructType;

export interface FieldOptions {
  /** Versions in which null is allowed. */
  readonly nullable?: string;
  /** Makes it a tagged field (KIP-482), with this number. */
  readonly tag?: number;
  /** The value where it is absent. Unset: 0, false, '', empty, the zero uuid, a struct of defaults. */
  readonly default?: number | string | boolean | null;
  /** True: silently dropped where the version has no place for it. Unset: encoding a non-default value there is an error. */
  readonly ignorable?: boolean;
}

export interface FieldDefinition extends FieldOptions {
  readonly name: string;
  readonly type: FieldType;
  readonly versions: string;
}

export interface ApiDefinition {
  readonly kind: 'api';
  readonly key: number;
  readonly name: string;
  readonly versions: string;
  /** Versions with compact types and tagged fields; undefined: none. */
  readonly flexible?: string;
  readonly request: readonly FieldDefinition[];
  readonly response: readonly FieldDefinition[];
}

/** A message that is stored in a record's key or value, behind an int16 version. */
export interface DataDefinition {
  readonly kind: 'data';
  readonly name: string;
  readonly versions: string;
  readonly flexible?: string;
  readonly fields: readonly FieldDefinition[];
}

export type Definition = ApiDefinition | DataDefinition;

export function defineApi(definition: Omit<ApiDefinition, 'kind'>): ApiDefinition {
  return { kind: 'api', ...definition };
}

export function defineData(definition: Omit<DataDefinition, 'kind'>): DataDefinition {
  return { kind: 'data', ...definition };
}

export function field(name: string, type: FieldType, versions: string, options: FieldOptions = {}): FieldDefinition {
  return { name, type, versions, ...options };
}

export function struct(name: string, fields: readonly FieldDefinition[]): StructType {
  return { kind: 'struct', name, fields };
}

/** An array of scalars, of an existing struct, or (name, fields) of a struct that is used here only. */
export function array(element: ScalarType | StructType): ArrayType;
export function array(name: string, fields: readonly FieldDefinition[]): ArrayType;
export function array(...given: [ScalarType | StructType] | [string, readonly FieldDefinition[]]): ArrayType {
  return { kind: 'array', element: given.length === 2 ? struct(given[0], given[1]) : given[0] };
}

export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

/** Reads `'3'`, `'3-5'`, `'3+'` (open: `max` is Infinity) or undefined (nothing: min > max). */
export function parseVersions(text: string | undefined): VersionRange {
  if (text === undefined) return { min: 1, max: 0 };
  const match = /^(\d+)(?:(\+)|-(\d+))?$/.exec(text);
  if (match === null) throw new Error(`'${text}' is no version range: write '3', '3-5' or '3+'`);
  const min = Number(match[1]);
  return { min, max: match[2] === '+' ? Infinity : match[3] === undefined ? min : Number(match[3]) };
}
