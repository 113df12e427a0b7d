/** Emits the function that reads one struct. */
import { parseVersions, type FieldDefinition, type FieldType, type ScalarType } from './definition.ts';
import type { StructContext } from './generate.ts';
import { choose, conditionOf, intersect, isEmpty, type Range } from './ranges.ts';
import { defaultLiteral, localName, minimumBytes, tsType, typeName } from './types.ts';

const READS: Record<ScalarType, string> = {
  bool: 'bool',
  int8: 'int8',
  int16: 'int16',
  uint16: 'uint16',
  int32: 'int32',
  int64: 'int64',
  timestamp: 'timestamp',
  float64: 'float64',
  string: 'string',
  uuid: 'uuid',
  bytes: 'bytes',
  records: 'records',
};

export function decoderOf(context: StructContext): string {
  const { struct, range, flexible } = context;
  const lines: string[] = [];
  const plain = struct.fields.filter((field) => field.tag === undefined);
  const tagged = struct.fields.filter((field) => field.tag !== undefined);
  const isFlexible = conditionOf(flexible, range);
  if (typeof isFlexible === 'string') lines.push(`const flexible = ${isFlexible};`);
  const mode: Mode = { flexible: typeof isFlexible === 'string' ? 'flexible' : isFlexible, range };
  for (const field of plain) lines.push(...readField(field, mode));
  if (isFlexible !== false) lines.push(...readTaggedFields(tagged, { flexible: true, range: flexible }, isFlexible, range));
  else for (const field of tagged) lines.push(`const ${localName(field.name)} = ${defaultLiteral(field)};`);
  const members = struct.fields.map((field) =>
    localName(field.name) === field.name ? field.name : `${field.name}: ${localName(field.name)}`,
  );
  lines.push(members.length === 0 ? 'return {};' : `return { ${members.join(', ')} };`);
  const usesVersion = lines.some((line) => /\bversion\b/.test(line));
  return `function read${struct.name}(reader: Reader, ${usesVersion ? 'version' : '_version'}: number): ${struct.name} {\n${indent(lines)}\n}`;
}

interface Mode {
  /** Known, or the name of a variable. */
  readonly flexible: boolean | string;
  readonly range: Range;
}

function indent(lines: readonly string[], by = '  '): string {
  return lines.map((line) => by + line).join('\n');
}

function readField(field: FieldDefinition, mode: Mode): string[] {
  const local = localName(field.name);
  const present = conditionOf(parseVersions(field.versions), mode.range);
  if (present === false) return [`const ${local}: ${tsType(field, mode.range, false)} = ${defaultLiteral(field)};`];
  const inner: Mode = { flexible: mode.flexible, range: intersect(mode.range, parseVersions(field.versions)) };
  const type = field.type;
  if (typeof type === 'string' || type.kind === 'struct') {
    return [
      `const ${local}: ${tsType(field, mode.range, false)} = ${choose(present, readValue(type, field, inner), defaultLiteral(field))};`,
    ];
  }
  const read = readArray(field, local, inner);
  const declaration = `let ${local}: ${arrayType(field, mode.range)} = ${defaultLiteral(field)};`;
  if (present === true) return [declaration, '{', ...read.map((line) => `  ${line}`), '}'];
  return [declaration, `if (${present}) {`, ...read.map((line) => `  ${line}`), '}'];
}

/** As declared in the function: not read-only. */
function arrayType(field: FieldDefinition, range: Range): string {
  return tsType(field, range, false).replace(/^readonly /, '');
}

/** Reads into `local` in versions of `mode.range`, all of which have the field. */
function readArray(field: FieldDefinition, local: string, mode: Mode): string[] {
  const type = field.type;
  if (typeof type === 'string' || type.kind === 'struct') throw new Error(`${field.name} is no array`);
  const bytes = minimumBytes(type.element, mode.range);
  const nullable = conditionOf(parseVersions(field.nullable), mode.range);
  const length = choose(
    nullable,
    choose(mode.flexible, `reader.compactNullableArrayLength(${bytes})`, `reader.nullableArrayLength(${bytes})`),
    choose(mode.flexible, `reader.compactArrayLength(${bytes})`, `reader.arrayLength(${bytes})`),
  );
  const element = readValue(type.element, undefined, mode);
  const elementType = typeName(type.element, false);
  const fill = [
    `const elements: ${elementType}[] = [];`,
    `for (let index = 0; index < count; index++) elements.push(${element});`,
    `${local} = elements;`,
  ];
  if (nullable === false) return [`const count = ${length};`, ...fill];
  return [`const count = ${length};`, `if (count < 0) {`, `  ${local} = null;`, `} else {`, ...fill.map((line) => `  ${line}`), `}`];
}

function readValue(type: FieldType, field: FieldDefinition | undefined, mode: Mode): string {
  if (typeof type !== 'string') {
    if (type.kind === 'struct') return `read${type.name}(reader, version)`;
    throw new Error('arrays of arrays do not occur');
  }
  if (type !== 'string' && type !== 'bytes' && type !== 'records') return `reader.${READS[type]}()`;
  const title = type === 'string' ? 'String' : type === 'bytes' ? 'Bytes' : 'Records';
  if (type === 'records') return choose(mode.flexible, `reader.compactRecords()`, `reader.records()`);
  const nullable = conditionOf(parseVersions(field?.nullable), mode.range);
  return choose(
    nullable,
    choose(mode.flexible, `reader.compactNullable${title}()`, `reader.nullable${title}()`),
    choose(mode.flexible, `reader.compact${title}()`, `reader.${type}()`),
  );
}

function readTaggedFields(fields: readonly FieldDefinition[], mode: Mode, isFlexible: true | string, range: Range): string[] {
  const guard = isFlexible === true ? '' : 'if (flexible) ';
  if (fields.length === 0) return [`${guard}reader.skipTaggedFields();`];
  const lines = fields.map((field) => `let ${localName(field.name)}: ${arrayType(field, range)} = ${defaultLiteral(field)};`);
  const cases: string[] = [];
  for (const field of fields) {
    const local = localName(field.name);
    const inner: Mode = { flexible: true, range: intersect(mode.range, parseVersions(field.versions)) };
    if (isEmpty(inner.range)) continue;
    const type = field.type;
    const present = conditionOf(inner.range, mode.range);
    const body =
      typeof type !== 'string' && type.kind === 'array' ? readArray(field, local, inner) : [`${local} = ${readValue(type, field, inner)};`];
    const test = `${present === true ? '' : `${present} && `}tag === ${field.tag}`;
    cases.push(
      `${cases.length === 0 ? '' : '} else '}if (${test}) {`,
      ...body.map((line) => `  ${line}`),
      '  reader.checkTaggedFieldEnd(end);',
    );
  }
  cases.push('} else {', '  reader.position = end;', '}');
  const loop = [
    'for (let tags = reader.taggedFieldCount(); tags > 0; tags--) {',
    '  const tag = reader.unsignedVarint();',
    '  const end = reader.taggedFieldEnd();',
    ...cases.map((line) => `  ${line}`),
    '}',
  ];
  if (isFlexible === true) return [...lines, ...loop];
  return [...lines, 'if (flexible) {', ...loop.map((line) => `  ${line}`), '}'];
}
