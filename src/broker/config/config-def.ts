/**
 * How a configuration key is defined: type, default, what is allowed, what it does, whether it can change while running.
 * Values are text outside (properties file, znode, wire) and typed inside; parsing refuses with the key, the value and what is
 * allowed. Text forms are Kafka's (`ConfigDef.parseType`, `ConfigDef.convertToString`): lists are comma-separated, booleans are
 * `true` and `false` in any case, the largest long is 9223372036854775807.
 *
 * A long is a `number` here: above 2^53 its value is rounded, which only "no limit" values meet (`LONG_MAX`); its text is kept.
 */

export type ConfigType = 'boolean' | 'string' | 'int' | 'short' | 'long' | 'double' | 'list' | 'class' | 'password';

/** Whether a broker key can be changed while the broker runs, and for whom. Topic keys are all dynamic. */
export type DynamicScope = 'read-only' | 'per-broker' | 'cluster-wide';

export type ConfigValue = boolean | number | string | readonly string[] | null;

/** The largest long, which Kafka's keys use for "no limit". */
export const LONG_MAX = 2 ** 63;
export const LONG_MAX_TEXT = '9223372036854775807';
export const INT_MAX = 2 ** 31 - 1;

/** A value that isn't allowed for its key. */
export class ConfigException extends Error {
  readonly key: string;
  readonly value: string | null;
  readonly allowed: string;

  constructor(key: string, value: string | null, allowed: string) {
    super(`Invalid value ${value} for configuration ${key}: ${allowed}`);
    this.name = 'ConfigException';
    this.key = key;
    this.value = value;
    this.allowed = allowed;
  }
}

/** What is allowed beyond the type. `check` returns why a value is refused, or undefined. */
export interface Validator<V> {
  /** For people: `[1,...]`, `one of a, b`. */
  readonly description: string;
  check(value: V): string | undefined;
}

export interface ConfigKey<V extends ConfigValue = ConfigValue> {
  readonly type: ConfigType;
  /** The default as text, null when there is none. */
  readonly defaultText: string | null;
  readonly doc: string;
  readonly dynamic: DynamicScope;
  readonly validator: Validator<NonNullable<V>> | undefined;
  /** Not shown by DescribeConfigs. */
  readonly internal: boolean;
}

export interface KeyOptions<V> {
  readonly doc: string;
  readonly dynamic?: DynamicScope;
  readonly validator?: Validator<NonNullable<V>>;
  readonly internal?: boolean;
}

function define<V extends ConfigValue>(type: ConfigType, defaultText: string | null, options: KeyOptions<V>): ConfigKey<V> {
  const { doc, dynamic = 'read-only', validator, internal = false } = options;
  return { type, defaultText, doc, dynamic, validator, internal };
}

type WithDefault<D, V extends ConfigValue> = D extends null ? V | null : V;

/** Definitions by type. A default of null makes the typed value nullable. */
export const boolean = (defaultValue: boolean, options: KeyOptions<boolean>): ConfigKey<boolean> =>
  define('boolean', String(defaultValue), options);
export const int = <D extends number | null>(defaultValue: D, options: KeyOptions<number>): ConfigKey<WithDefault<D, number>> =>
  define('int', defaultValue === null ? null : String(defaultValue), options as KeyOptions<WithDefault<D, number>>);
export const short = (defaultValue: number, options: KeyOptions<number>): ConfigKey<number> =>
  define('short', String(defaultValue), options);
export const long = <D extends number | null>(defaultValue: D, options: KeyOptions<number>): ConfigKey<WithDefault<D, number>> =>
  define('long', defaultValue === null ? null : textOf('long', defaultValue), options as KeyOptions<WithDefault<D, number>>);
export const double = (defaultValue: number, options: KeyOptions<number>): ConfigKey<number> =>
  define('double', textOf('double', defaultValue), options);
export const string = <D extends string | null>(defaultValue: D, options: KeyOptions<string>): ConfigKey<WithDefault<D, string>> =>
  define('string', defaultValue, options as KeyOptions<WithDefault<D, string>>);
export const list = <D extends string | null>(
  defaultValue: D,
  options: KeyOptions<readonly string[]>,
): ConfigKey<WithDefault<D, readonly string[]>> => define('list', defaultValue, options as KeyOptions<WithDefault<D, readonly string[]>>);
export const className = (defaultValue: string | null, options: KeyOptions<string>): ConfigKey<string | null> =>
  define('class', defaultValue, options as KeyOptions<string | null>);
export const password = (options: KeyOptions<string>): ConfigKey<string | null> =>
  define('password', null, options as KeyOptions<string | null>);

export function atLeast(minimum: number): Validator<number> {
  return {
    description: `[${minimum},...]`,
    check: (value) => (value < minimum ? `Value must be at least ${minimum}` : undefined),
  };
}

export function between(minimum: number, maximum: number): Validator<number> {
  return {
    description: `[${minimum},...,${maximum}]`,
    check: (value) => (value < minimum || value > maximum ? `Value must be between ${minimum} and ${maximum}` : undefined),
  };
}

export function oneOf(...allowed: string[]): Validator<string> {
  return {
    description: `[${allowed.join(', ')}]`,
    check: (value) => (allowed.includes(value) ? undefined : `String must be one of: ${allowed.join(', ')}`),
  };
}

export function eachOneOf(...allowed: string[]): Validator<readonly string[]> {
  return {
    description: `[${allowed.join(', ')}]`,
    check: (values) => (values.every((value) => allowed.includes(value)) ? undefined : `List may hold only: ${allowed.join(', ')}`),
  };
}

const INTEGER_RANGES = { short: [-32_768, 32_767], int: [-(2 ** 31), INT_MAX], long: [-(2 ** 63), LONG_MAX] } as const;

/**
 * The typed value of `text` for the key `name`; null text means "not set" and gives null.
 * @throws ConfigException naming key, value and what is allowed.
 */
export function parseValue<V extends ConfigValue>(name: string, key: ConfigKey<V>, text: string | null): V {
  const value = text === null ? null : parseType(name, key.type, text);
  if (value !== null && key.validator !== undefined) {
    const refused = key.validator.check(value as NonNullable<V>);
    if (refused !== undefined) throw new ConfigException(name, text, refused);
  }
  return value as V;
}

function parseType(name: string, type: ConfigType, text: string): ConfigValue {
  const trimmed = text.trim();
  switch (type) {
    case 'boolean': {
      const lower = trimmed.toLowerCase();
      if (lower === 'true') return true;
      if (lower === 'false') return false;
      throw new ConfigException(name, text, 'Expected value to be either true or false');
    }
    case 'short':
    case 'int':
    case 'long':
      return parseInteger(name, type, text, trimmed);
    case 'double': {
      const value = trimmed === '' ? Number.NaN : Number(trimmed);
      if (Number.isNaN(value)) throw new ConfigException(name, text, 'Not a number of type DOUBLE');
      return value;
    }
    case 'list':
      return Object.freeze(trimmed === '' ? [] : trimmed.split(',').map((item) => item.trim()));
    case 'password':
      return text;
    default:
      return trimmed;
  }
}

function parseInteger(name: string, type: 'short' | 'int' | 'long', text: string, trimmed: string): number {
  const [minimum, maximum] = INTEGER_RANGES[type];
  const value = /^[+-]?\d{1,20}$/.test(trimmed) ? Number(trimmed) : Number.NaN;
  if (Number.isNaN(value) || value < minimum || value > maximum || isAboveLongMax(trimmed)) {
    throw new ConfigException(name, text, `Not a number of type ${type.toUpperCase()}`);
  }
  return value;
}

function isAboveLongMax(digits: string): boolean {
  const plain = digits.replace(/^\+?0*/, '');
  return !plain.startsWith('-') && (plain.length > 19 || (plain.length === 19 && plain > LONG_MAX_TEXT));
}

/** The text form of a typed value, as Kafka prints it; null for null. */
export function textOf(type: ConfigType, value: ConfigValue): string | null {
  if (value === null) return null;
  if (Array.isArray(value)) return value.join(',');
  if (typeof value !== 'number') return String(value);
  if (type === 'double') return doubleText(value);
  return value >= LONG_MAX ? LONG_MAX_TEXT : String(value);
}

/** A double as Java prints it: always with a fraction, and with E from 10^7 on. */
function doubleText(value: number): string {
  if (Math.abs(value) >= 1e7) {
    const [digits = '', exponent = ''] = value.toExponential().split('e');
    return `${digits.includes('.') ? digits : `${digits}.0`}E${exponent.replace('+', '')}`;
  }
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

/** Whether a value must not be shown: passwords, and anything of unknown type. */
export function isSensitive(key: ConfigKey | undefined): boolean {
  return key === undefined || key.type === 'password';
}

/** `log.retention.ms` as a type: `logRetentionMs`. */
export type PropertyName<K extends string> = K extends `${infer Head}.${infer Tail}` ? `${Head}${Capitalize<PropertyName<Tail>>}` : K;

export type ConfigTable = Readonly<Record<string, ConfigKey>>;
type ValueOf<K> = K extends ConfigKey<infer V> ? V : never;

/** The typed values of a table of keys, under their camel-case names. */
export type ConfigValues<T extends ConfigTable> = { readonly [K in keyof T & string as PropertyName<K>]: ValueOf<T[K]> };

/** `log.retention.ms` → `logRetentionMs`. */
export function propertyNameOf(key: string): string {
  return key.replace(/\.([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
