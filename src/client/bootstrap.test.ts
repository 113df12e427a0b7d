import { describe, expect, it } from 'vitest';
import { InvalidBootstrapError, parseBootstrapServers } from './bootstrap.ts';

describe('bootstrap.servers', () => {
  it('takes names, addresses and bracketed IPv6, with ids below those of brokers', () => {
    expect(parseBootstrapServers('localhost:9092, 10.0.0.1:9093,[::1]:9094')).toEqual([
      { id: -1, host: 'localhost', port: 9092 },
      { id: -2, host: '10.0.0.1', port: 9093 },
      { id: -3, host: '::1', port: 9094 },
    ]);
  });

  it.each(['', 'localhost', 'localhost:', 'localhost:0', 'localhost:70000', '::1:9092', 'a b:1', 'http://x:1'])(
    "refuses '%s'",
    (servers) => {
      expect(() => parseBootstrapServers(servers)).toThrow(InvalidBootstrapError);
    },
  );
});
