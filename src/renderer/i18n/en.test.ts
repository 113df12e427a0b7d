import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { i18n } from './i18n.ts';
import { en } from './en.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.(vue|ts)$/.test(path) && !/\.test\.ts$|^dev\/|^build\/|node_modules/.test(path))
  .map((path) => ({ path, text: readFileSync(`${root}/${path}`, 'utf8') }));

function at(path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((node, key) => (typeof node === 'object' && node !== null ? (node as Record<string, unknown>)[key] : undefined), en);
}
function leaves(node: object, prefix: string): string[] {
  return Object.entries(node).flatMap(([key, value]) =>
    typeof value === 'string' ? [`${prefix}${key}`] : leaves(value as object, `${prefix}${key}.`),
  );
}

it('has every text that is asked for by name', () => {
  const missing = sources.flatMap(({ path, text }) =>
    [...text.matchAll(/\bt\(\s*'([\w.]+)'/g)]
      .map((found) => found[1] ?? '')
      .filter((key) => typeof at(key) !== 'string')
      .map((key) => `${path}: ${key}`),
  );
  expect(missing).toEqual([]);
});

it('has something under every name that is put together', () => {
  const missing = sources.flatMap(({ path, text }) =>
    [...text.matchAll(/\bt\(\s*`([\w.]+)\.\$\{/g)]
      .map((found) => found[1] ?? '')
      .filter((key) => typeof at(key) !== 'object')
      .map((key) => `${path}: ${key}`),
  );
  expect(missing).toEqual([]);
});

it('has no text that nothing asks for', () => {
  const all = sources.map(({ text }) => text).join('\n');
  const prefixes = [...all.matchAll(/`([\w.]+)\.\$\{/g)].map((found) => `${found[1]}.`);
  const unused = leaves(en, '').filter((key) => !all.includes(`'${key}'`) && !prefixes.some((prefix) => key.startsWith(prefix)));
  expect(unused).toEqual([]);
});

it('counts as English does', () => {
  const { t } = i18n.global;
  expect([0, 1, 2].map((count) => t('groups.members', { count }, count))).toEqual(['No members', '1 member', '2 members']);
  expect([1, 3].map((count) => t('topics.delete.verb', { count }, count))).toEqual(['Delete topic', 'Delete 3 topics']);
});
