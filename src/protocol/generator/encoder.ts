/** Emits the function that writes one struct. */
import { parseVersions, type FieldDefinition, type FieldType } from './definition.ts';
import type { StructContext } from './generate.ts';
import { choose, conditionOf, intersect, isEmpty, type Range } from './ranges.ts';
import { defaultLiteral, isDefaultExpression, isOptional, localName } from './types.ts';

interface Mode {
  readonly flexible: boolean | string;
  readonly range: Range;
  readonly struct: string;
}

export function encoderOf(context: StructContext): string {
  const { struct, range, flexible, messageRange } = context;
  const lines: string[] = [];
  const isFlexible = conditionOf(flexible, range);
  if (typeof isFlexible === 'string') lines.push(`const flexible = ${isFlexible};`);
  const mode: Mode = { flexible: typeof isFlexible === 'string' ? 'flexible' : isFlexible, range, struct: struct.name };
  const tagged = struct.fields.filter((field) => field.tag !== undefined).sort((a, b) => a.tag! - b.tag!);
  for (const field of struct.fields) {
    if (field.tag !== undefined) continue;
    lines.push(given(field, messageRange), ...writeField(field, mode));
  }
  for (const field of tagged) {
    const local = localName(field.name);
    const present = conditionOf(parseVersions(field.versions), range);
    const test = isDefaultExpression(field, local);
    lines.push(given(field, messageRange), `const has_${local} = !(${test});`);
    if (present !== true && field.ignorable !== true) {
      const absent = present === false ? '' : `!(${present}) && `;
      lines.push(`if (${absent}has_${local}) throw unsupportedField('${struct.name}', '${field.name}', version);`);
    }
  }
  if (isFlexible === true) lines.push(...writeTaggedFields(tagged, { ...mode, flexible: true, range: flexible }));
  else if (isFlexible !== false) {
    const inner = writeTaggedFields(tagged, { ...mode, flexible: true, range: flexible });
    if (inner.length === 1) lines.push(`if (flexible) ${inner[0]}`);
    else lines.push('if (flexible) {', ...inner.map((line) => `  ${line}`), '}');
  }
  const uses = (name: string): string => (lines.some((line) => new RegExp(`\\b${name}\\b`).test(line)) ? name : `_${name}`);
  const parameters = `${uses('writer')}: Writer, ${uses('message')}: ${struct.name}Input, ${uses('version')}: number`;
  return `function write${struct.name}(${parameters}): void {\n${lines.map((line) => `  ${line}`).join('\n')}\n}`;
}

/** The field's value in a local: what was given, or the default. */
function given(field: FieldDefinition, messageRange: Range): string {
  const value = `message.${field.name}`;
  const expression = isOptional(field, messageRange) ? `${value} === undefined ? ${defaultLiteral(field)} : ${value}` : value;
  return `const ${localName(field.name)} = ${expression};`;
}

function writeField(field: FieldDefinition, mode: Mode): string[] {
  const local = localName(field.name);
  const present = conditionOf(parseVersions(field.versions), mode.range);
  const inner: Mode = { ...mode, range: intersect(mode.range, parseVersions(field.versions)) };
  const refusal = `throw unsupportedField('${mode.struct}', '${field.name}', version);`;
  const absent = field.ignorable === true ? undefined : `if (!(${isDefaultExpression(field, local)})) ${refusal}`;
  if (present === false) return absent === undefined ? [`void ${local};`] : [absent];
  const write = writeValue(field, local, inner);
  if (present === true) return write;
  const lines = [`if (${present}) {`, ...write.map((line) => `  ${line}`)];
  if (absent === undefined) return [...lines, '}'];
  return [...lines, `} else ${absent}`];
}

/** Writes `local` in versions of `mode.range`, all of which have the field. */
function writeValue(field: FieldDefinition, local: string, mode: Mode): string[] {
  const nullable = conditionOf(parseVersions(field.nullable), mode.range);
  const lines: string[] = [];
  const everNull = field.nullable !== undefined && !isEmpty(intersect(parseVersions(field.nullable), mode.range));
  const nullError = `throw unsupportedNull('${mode.struct}', '${field.name}', version);`;
  if (field.nullable !== undefined && nullable !== true) {
    lines.push(nullable === false ? `if (${local} === null) ${nullError}` : `if (${local} === null && !(${nullable})) ${nullError}`);
  }
  const type = field.type;
  if (typeof type !== 'string' && type.kind === 'array') {
    const elements = `for (const element of ${local}) ${writeScalar(type.element, 'element', false, mode)}`;
    const length = (count: string): string =>
      `${choose(mode.flexible, `writer.compactArrayLength(${count})`, `writer.arrayLength(${count})`)};`;
    if (!everNull) return [...lines, length(`${local}.length`), elements];
    return [...lines, `if (${local} === null) {`, `  ${length('-1')}`, `} else {`, `  ${length(`${local}.length`)}`, `  ${elements}`, `}`];
  }
  return [...lines, writeScalar(type, local, everNull, mode)];
}

function writeScalar(type: FieldType, value: string, nullable: boolean, mode: Mode): string {
  if (typeof type !== 'string') {
    if (type.kind === 'struct') return `write${type.name}(writer, ${value}, version);`;
    throw new Error('arrays of arrays do not occur');
  }
  if (type === 'string' || type === 'bytes' || type === 'records') {
    const title = type === 'string' ? 'String' : type === 'bytes' ? 'Bytes' : 'Records';
    const may = nullable && type !== 'records' ? 'Nullable' : '';
    const plain = may === '' ? type : `nullable${title}`;
    return `${choose(mode.flexible, `writer.compact${may}${title}(${value})`, `writer.${plain}(${value})`)};`;
  }
  return `writer.${type}(${value});`;
}

function writeTaggedFields(fields: readonly FieldDefinition[], mode: Mode): string[] {
  const present = fields.filter((field) => conditionOf(parseVersions(field.versions), mode.range) !== false);
  if (present.length === 0) return ['writer.unsignedVarint(0);'];
  const test = (field: FieldDefinition): string => {
    const condition = conditionOf(parseVersions(field.versions), mode.range);
    return condition === true ? `has_${localName(field.name)}` : `${condition} && has_${localName(field.name)}`;
  };
  const lines = [`writer.unsignedVarint(${present.map((field) => `(${test(field)} ? 1 : 0)`).join(' + ')});`];
  for (const field of present) {
    const inner: Mode = { ...mode, range: intersect(mode.range, parseVersions(field.versions)) };
    const write = writeValue(field, localName(field.name), inner).map(
      (line) => `  ${line.replaceAll('writer.', 'scratch.').replaceAll('(writer,', '(scratch,')}`,
    );
    lines.push(
      `if (${test(field)}) {`,
      '  const scratch = writer.scratch();',
      ...write,
      `  writer.taggedField(${field.tag}, scratch);`,
      '}',
    );
  }
  return lines;
}
