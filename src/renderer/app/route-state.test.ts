import { describe, expect, it } from 'vitest';
import { parseFilter, parseSort } from './route-state.ts';

describe('the address', () => {
  it('reads a sort with its direction', () => {
    expect(parseSort('-size')).toEqual({ by: 'size', descending: true });
    expect(parseSort('name')).toEqual({ by: 'name', descending: false });
    expect(parseSort('')).toBeNull();
  });

  it('tells an expression from a substring, also from a lone slash', () => {
    expect(parseFilter('/^a.*b$/')).toEqual({ text: '^a.*b$', regex: true });
    expect(parseFilter('a/b')).toEqual({ text: 'a/b', regex: false });
    expect(parseFilter('/')).toEqual({ text: '/', regex: false });
  });
});
