import { describe, expect, it } from 'vitest';
import { childName, parentPath, pathError } from './path.ts';

describe('a path', () => {
  it.each(['/', '/a', '/a/b', '/a.b', '/..a', '/a..', '/...', '/zookeeper/config', '/ümläut', '/with space'])('%j is one', (path) => {
    expect(pathError(path)).toBeUndefined();
  });
  it.each([
    '',
    'a',
    'a/b',
    '/a/',
    '//',
    '/a//b',
    '/.',
    '/..',
    '/a/.',
    '/a/..',
    '/a/./b',
    '/a/../b',
    '/a\0b',
    '/\u0001',
    '/\u007f',
    '/\ud800',
    '/\uf8ff',
    '/\uffff',
  ])('%j is none', (path) => {
    expect(pathError(path)).toBeTypeOf('string');
  });
  it('has a parent and a name', () => {
    expect([parentPath('/a'), parentPath('/a/b'), childName('/a/b'), childName('/a')]).toEqual(['/', '/a', 'b', 'a']);
  });
});
