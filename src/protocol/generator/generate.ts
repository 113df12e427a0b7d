/**
 * Makes one TypeScript module out of one definition: interfaces, straight-line read and write functions, a descriptor.
 *
 * Each struct becomes an interface (what decode returns, every field present), an `…Input` interface (what encode
 * takes; a field is optional when it has a default, is tagged, or is not in every version from 0 on) and two
 * functions. Version conditions that are always or never true where a struct is used are resolved here, so that most
 * fields are one call. The output depends on the definition only.
 */
import { parseVersions, type Definition, type FieldDefinition, type FieldType, type StructType } from './definition.ts';
import { intersect, isEmpty, union, type Range } from './ranges.ts';
import { defaultLiteral, isDefaultExpression, isOptional, tsType } from './types.ts';
import { decoderOf } from './decoder.ts';
import { encoderOf } from './encoder.ts';

/** A struct with the versions in which it can occur: what all emitters work on. */
export interface StructContext {
  readonly struct: StructType;
  readonly range: Range;
  readonly flexible: Range;
  /** The versions of the whole message, which decide what is optional. */
  readonly messageRange: Range;
}

/** `InitProducerId` → `init-producer-id`. */
export function fileNameOf(name: string): string {
  return `${name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase()}.ts`;
}

/** The generated module's text. Throws on a definition that contradicts itself. */
export function generateModule(definition: Definition): string {
  const range = parseVersions(definition.versions);
  const flexible = intersect(range, parseVersions(definition.flexible));
  const roots = rootsOf(definition);
  const contexts = collectStructs(roots, range, flexible);
  const body: string[] = [];
  for (const context of contexts) body.push(interfacesOf(context));
  for (const context of contexts) {
    if (usedAsField(context.struct, contexts)) body.push(defaultOf(context));
    body.push(decoderOf(context), encoderOf(context));
  }
  body.push(definition.kind === 'api' ? apiDescriptor(definition, range, flexible) : dataDescriptor(definition, range));
  const text = body.join('\n\n');
  return `${header(definition)}\n${importsFor(text, definition)}\n\n${text}\n`;
}

function rootsOf(definition: Definition): StructType[] {
  if (definition.kind === 'data') return [{ kind: 'struct', name: definition.name, fields: definition.fields }];
  return [
    { kind: 'struct', name: `${definition.name}Request`, fields: definition.request },
    { kind: 'struct', name: `${definition.name}Response`, fields: definition.response },
  ];
}

/** All structs, the nested ones before those that hold them, each with the versions in which it can occur. */
function collectStructs(roots: readonly StructType[], messageRange: Range, flexible: Range): StructContext[] {
  const ranges = new Map<StructType, Range>();
  const visit = (struct: StructType, range: Range): void => {
    const known = ranges.get(struct);
    for (const field of struct.fields) {
      checkField(struct, field);
      const nested = structOf(field.type);
      const fieldRange = intersect(range, parseVersions(field.versions));
      if (nested !== undefined && !isEmpty(fieldRange)) visit(nested, fieldRange);
    }
    ranges.delete(struct);
    ranges.set(struct, known === undefined ? range : union(known, range));
  };
  for (const root of roots) visit(root, messageRange);
  const names = new Set<string>();
  for (const { name } of ranges.keys()) {
    if (names.has(name)) throw new Error(`two structs are named ${name}`);
    names.add(name);
  }
  return [...ranges].map(([struct, range]) => ({ struct, range, flexible: intersect(range, flexible), messageRange }));
}

function checkField(struct: StructType, field: FieldDefinition): void {
  const where = `${struct.name}.${field.name}`;
  if (!/^[a-z]\w*$/.test(field.name)) throw new Error(`${where}: field names are lowerCamel`);
  const versions = parseVersions(field.versions);
  const nullable = parseVersions(field.nullable);
  if (!isEmpty(nullable) && (nullable.min < versions.min || nullable.max > versions.max)) {
    throw new Error(`${where}: nullable in ${field.nullable}, but present in ${field.versions} only`);
  }
  if (field.default === null && field.nullable === undefined) throw new Error(`${where}: null is the default, but it is never nullable`);
}

export function structOf(type: FieldType): StructType | undefined {
  if (typeof type === 'string') return undefined;
  if (type.kind === 'struct') return type;
  return typeof type.element === 'string' ? undefined : type.element;
}

function usedAsField(struct: StructType, contexts: readonly StructContext[]): boolean {
  return contexts.some((context) => context.struct.fields.some((field) => field.type === struct));
}

function interfacesOf({ struct, messageRange, range }: StructContext): string {
  const decoded: string[] = [];
  const input: string[] = [];
  for (const field of struct.fields) {
    const notes = [`versions ${field.versions}`];
    if (field.nullable !== undefined) notes.push(`nullable ${field.nullable}`);
    if (field.tag !== undefined) notes.push(`tag ${field.tag}`);
    if (structOf(field.type) !== field.type) notes.push(`default ${defaultLiteral(field)}`);
    const doc = `  /** ${notes.join(', ')} */`;
    decoded.push(doc, `  readonly ${field.name}: ${tsType(field, range, false)};`);
    const type = tsType(field, range, true);
    input.push(
      doc,
      isOptional(field, messageRange) ? `  readonly ${field.name}?: ${type} | undefined;` : `  readonly ${field.name}: ${type};`,
    );
  }
  const block = (name: string, lines: readonly string[]): string =>
    lines.length === 0 ? `export type ${name} = Record<never, never>;` : `export interface ${name} {\n${lines.join('\n')}\n}`;
  return `${block(struct.name, decoded)}\n\n${block(`${struct.name}Input`, input)}`;
}

/** The value of an absent struct, and the test for it. Shared: decoded messages are read-only. */
function defaultOf({ struct, messageRange }: StructContext): string {
  const values = struct.fields.map((field) => `${field.name}: ${defaultLiteral(field)}`).join(', ');
  const tests = struct.fields.map((field) => {
    const given = `message.${field.name}`;
    const test = isDefaultExpression(field, given);
    return isOptional(field, messageRange) ? `(${given} === undefined || ${test})` : test;
  });
  return `const DEFAULT_${struct.name}: ${struct.name} = { ${values} };

function isDefault${struct.name}(message: ${struct.name}Input): boolean {
  return message === DEFAULT_${struct.name} || (${tests.join(' && ')});
}`;
}

function codecText(name: string, range: Range): string {
  const known = `${range.min}, ${range.max}`;
  const guard = `if (version < ${range.min} || version > ${range.max}) throw unsupportedVersion('${name}', version, ${known});`;
  return `{
    name: '${name}',
    encode(writer: Writer, message: ${name}Input, version: number): void {
      ${guard}
      write${name}(writer, message, version);
    },
    decode(reader: Reader, version: number): ${name} {
      ${guard}
      return read${name}(reader, version);
    },
  }`;
}

function apiDescriptor(definition: Definition & { kind: 'api' }, range: Range, flexible: Range): string {
  const { name, key } = definition;
  return `export const ${name}: Api<${name}Request, ${name}Response, ${name}RequestInput, ${name}ResponseInput> = {
  key: ${key},
  name: '${name}',
  minVersion: ${range.min},
  maxVersion: ${range.max},
  flexibleFrom: ${isEmpty(flexible) ? 'Infinity' : flexible.min},
  request: ${codecText(`${name}Request`, range)},
  response: ${codecText(`${name}Response`, range)},
};`;
}

function dataDescriptor(definition: Definition & { kind: 'data' }, range: Range): string {
  const { name } = definition;
  return `export const ${name}: VersionedCodec<${name}, ${name}Input> = {
  minVersion: ${range.min},
  maxVersion: ${range.max},
  ...${codecText(name, range)},
};`;
}

function header(definition: Definition): string {
  const what = definition.kind === 'api' ? `Kafka API ${definition.key}, ${definition.name}` : `Kafka's stored message ${definition.name}`;
  return `/** Generated from src/protocol/definitions (\`node src/protocol/generator/main.ts\`): do not edit. ${what}, versions ${definition.versions}. */`;
}

function importsFor(text: string, definition: Definition): string {
  const errors = ['unsupportedField', 'unsupportedNull', 'unsupportedVersion'].filter((name) => text.includes(`${name}(`));
  const lines = [
    `import type { ${definition.kind === 'api' ? 'Api' : 'VersionedCodec'} } from '../api.ts';`,
    `import { ${errors.join(', ')} } from '../protocol-error.ts';`,
    `import type { Reader } from '../reader.ts';`,
    `import type { Writer } from '../writer.ts';`,
  ];
  const code = text.replaceAll(/\/\*\*.*?\*\//g, '');
  if (code.includes('ZERO_UUID')) lines.push(`import { ZERO_UUID } from '../uuid.ts';`);
  if (code.includes('EMPTY_BYTES')) lines.push('', 'const EMPTY_BYTES: Buffer = Buffer.alloc(0);');
  return lines.join('\n');
}
