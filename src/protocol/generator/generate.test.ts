import { describe, expect, it } from 'vitest';
import { array, defineApi, defineData, field, parseVersions, struct } from './definition.ts';
import { fileNameOf, generateModule } from './generate.ts';
import { choose, conditionOf } from './ranges.ts';

describe('version ranges', () => {
  it('are read, and anything else is refused', () => {
    expect(parseVersions('3')).toEqual({ min: 3, max: 3 });
    expect(parseVersions('3-5')).toEqual({ min: 3, max: 5 });
    expect(parseVersions('3+')).toEqual({ min: 3, max: Infinity });
    for (const text of ['', 'none', '+', '3-', '-3', '3+5']) expect(() => parseVersions(text)).toThrow(/no version range/);
  });

  it('become conditions only where the answer is not known beforehand', () => {
    const context = { min: 2, max: 9 };
    expect(conditionOf({ min: 0, max: Infinity }, context)).toBe(true);
    expect(conditionOf({ min: 10, max: Infinity }, context)).toBe(false);
    expect(conditionOf({ min: 5, max: Infinity }, context)).toBe('version >= 5');
    expect(conditionOf({ min: 0, max: 5 }, context)).toBe('version <= 5');
    expect(conditionOf({ min: 4, max: 5 }, context)).toBe('(version >= 4 && version <= 5)');
    expect(conditionOf({ min: 4, max: 4 }, context)).toBe('version === 4');
    expect(choose('a', 'b ? c : d', 'e')).toBe('a ? (b ? c : d) : e');
  });
});

describe('the generated module', () => {
  const definition = defineApi({
    key: 99,
    name: 'AnApi',
    versions: '0-2',
    flexible: '2+',
    request: [field('name', 'string', '0+'), field('parts', array('Part', [field('index', 'int32', '0+')]), '1+')],
    response: [field('errorCode', 'int16', '0+')],
  });

  it('depends on the definition alone', () => {
    expect(generateModule(definition)).toBe(generateModule(definition));
    expect(fileNameOf('InitProducerId')).toBe('init-producer-id.ts');
  });

  it('makes a field optional for the encoder when it is not in every version', () => {
    const text = generateModule(definition);
    expect(text).toContain('readonly parts?: readonly PartInput[] | undefined;');
    expect(text).toMatch(/export interface AnApiRequestInput \{\n.*\n {2}readonly name: string;/);
  });
});

describe('a definition that contradicts itself is refused', () => {
  const data = (...fields: Parameters<typeof defineData>[0]['fields'][number][]): string =>
    generateModule(defineData({ name: 'Stored', versions: '0-3', fields }));

  it('with two structs of one name', () => {
    expect(() => data(field('a', array('Same', []), '0+'), field('b', array('Same', []), '0+'))).toThrow('two structs are named Same');
    const same = struct('Same', [field('x', 'int8', '0+')]);
    expect(() => data(field('a', array(same), '0+'), field('b', array(same), '0+'))).not.toThrow();
  });

  it('with null as default where it is never nullable, or nullable where it does not exist', () => {
    expect(() => data(field('a', 'string', '0+', { default: null }))).toThrow(/never nullable/);
    expect(() => data(field('a', 'string', '2+', { nullable: '0+' }))).toThrow(/present in 2\+ only/);
  });

  it('with a name that is not lowerCamel', () => {
    expect(() => data(field('Name', 'string', '0+'))).toThrow(/lowerCamel/);
  });
});
