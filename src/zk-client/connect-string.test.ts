import { describe, expect, it } from 'vitest';
import { parseConnectString, withChroot, withoutChroot } from './connect-string.ts';

describe('a connect string', () => {
  it.each([
    ['localhost', [['localhost', 2181]], ''],
    ['localhost:2182', [['localhost', 2182]], ''],
    [
      'a:1, b:2,c',
      [
        ['a', 1],
        ['b', 2],
        ['c', 2181],
      ],
      '',
    ],
    [
      '[::1]:2181,127.0.0.1:2181/kafka',
      [
        ['::1', 2181],
        ['127.0.0.1', 2181],
      ],
      '/kafka',
    ],
    ['a/kafka/dev/', [['a', 2181]], '/kafka/dev'],
    ['a/', [['a', 2181]], ''],
  ] as const)('%s names its servers and its chroot', (text, endpoints, chroot) => {
    const parsed = parseConnectString(text);
    expect(parsed.endpoints.map(({ host, port }) => [host, port])).toEqual(endpoints);
    expect(parsed.chroot).toBe(chroot);
  });

  it.each(['', ',', 'a:', 'a:x', 'a:0', 'a:65536', '::1', 'a,,b', 'a//b', '/kafka'])('%j is refused by name', (text) => {
    expect(() => parseConnectString(text)).toThrow(/zookeeper connect string/);
  });

  it('puts the chroot before a path and takes it off', () => {
    for (const [path, whole] of [
      ['/', '/kafka'],
      ['/a', '/kafka/a'],
    ] as const) {
      expect(withChroot('/kafka', path)).toBe(whole);
      expect(withoutChroot('/kafka', whole)).toBe(path);
    }
    expect(withoutChroot('/kafka', '/kafka2')).toBe('/kafka2');
    expect([withChroot('', '/a'), withoutChroot('', '/a')]).toEqual(['/a', '/a']);
  });
});
