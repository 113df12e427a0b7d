import { describe, expect, it } from 'vitest';
import { ManualTime } from '../../runtime/testing/manual-time.ts';
import { parseKafkaConfig } from '../config/kafka-config.ts';
import { BusyMeter } from './busy-meter.ts';
import { ConnectionQuotas } from './connection-quotas.ts';

const twoListeners = {
  listeners: 'CLIENT://127.0.0.1:0,INTERNAL://[::1]:0',
  'listener.security.protocol.map': 'CLIENT:PLAINTEXT,INTERNAL:PLAINTEXT',
  'inter.broker.listener.name': 'INTERNAL',
};

function newQuotas(properties: Record<string, string>): { quotas: ConnectionQuotas; time: ManualTime } {
  const time = new ManualTime();
  return { time, quotas: new ConnectionQuotas(parseKafkaConfig({ 'zookeeper.connect': 'zk', ...properties }), time) };
}

describe('ConnectionQuotas', () => {
  it('counts addresses apart, with their own limits', () => {
    const { quotas } = newQuotas({ 'max.connections.per.ip': '1', 'max.connections.per.ip.overrides': '10.0.0.1:2,localhost:0' });
    const outcomes = ['10.0.0.1', '10.0.0.1', '10.0.0.1', '10.0.0.2', '10.0.0.2', '127.0.0.1', '::1'].map(
      (address) => quotas.admit('PLAINTEXT', address).outcome,
    );
    expect(outcomes).toEqual([
      'admitted',
      'admitted',
      'too-many-per-ip',
      'admitted',
      'too-many-per-ip',
      'too-many-per-ip',
      'too-many-per-ip',
    ]);
    quotas.release('PLAINTEXT', '10.0.0.2');
    expect(quotas.admit('PLAINTEXT', '10.0.0.2').outcome).toBe('admitted');
  });

  it('lets brokers in over the limit, clients not', () => {
    const { quotas } = newQuotas({ ...twoListeners, 'max.connections': '1' });
    expect(quotas.admit('CLIENT', 'a').outcome).toBe('admitted');
    expect(quotas.admit('CLIENT', 'a').outcome).toBe('wait');
    expect(quotas.admit('INTERNAL', 'b').outcome).toBe('admitted-over-limit');
  });

  it('keeps a listener to its own limit', () => {
    const { quotas } = newQuotas({ ...twoListeners, 'listener.name.client.max.connections': '1' });
    expect(quotas.admit('CLIENT', 'a').outcome).toBe('admitted');
    expect(quotas.admit('CLIENT', 'a').outcome).toBe('wait');
    expect(quotas.admit('INTERNAL', 'a').outcome).toBe('admitted');
  });

  it('admits at the rate of max.connection.creation.rate, and says when to come again', async () => {
    const { quotas, time } = newQuotas({ 'max.connection.creation.rate': '2' });
    expect(quotas.admit('PLAINTEXT', 'a').outcome).toBe('admitted');
    expect(quotas.admit('PLAINTEXT', 'a').outcome).toBe('admitted');
    expect(quotas.admit('PLAINTEXT', 'a')).toEqual({ outcome: 'wait', retryMs: 500 });
    await time.advance(500);
    expect(quotas.admit('PLAINTEXT', 'a').outcome).toBe('admitted');
    await time.advance(60_000);
    const burst = Array.from({ length: 4 }, () => quotas.admit('PLAINTEXT', 'a').outcome);
    expect(burst).toEqual(['admitted', 'admitted', 'wait', 'wait']);
  });
});

describe('BusyMeter', () => {
  it('tells the share of slots that were idle, over the last half minute to minute', async () => {
    const time = new ManualTime();
    const meter = new BusyMeter(time, 4);
    expect(meter.idleRatio()).toBe(1);
    meter.begin();
    meter.begin();
    await time.advance(1000);
    expect(meter.idleRatio()).toBeCloseTo(0.5);
    meter.end();
    meter.end();
    await time.advance(1000);
    expect(meter.idleRatio()).toBeCloseTo(0.75);
    await time.advance(40_000);
    meter.idleRatio();
    await time.advance(60_000);
    expect(meter.idleRatio()).toBeCloseTo(1);
  });
});
