import { describe, expect, it } from 'vitest';
import { ZooKeeperConfigError, zooKeeperConfig } from './config.ts';

describe('the configuration', () => {
  it("has Apache's defaults for purging: three snapshots, never by itself", () => {
    expect(zooKeeperConfig({ dataDir: '/zk' })).toMatchObject({ snapRetainCount: 3, purgeIntervalHours: 0 });
  });

  it.each([
    ['snapRetainCount', 2, /^snapRetainCount is 2: allowed is an integer from 3 to 10000$/],
    ['purgeIntervalHours', -1, /^purgeIntervalHours is -1: allowed is an integer from 0 to 596$/],
    ['purgeIntervalHours', 0.5, /purgeIntervalHours is 0.5/],
    ['purgeIntervalHours', 597, /purgeIntervalHours is 597/],
    ['purgeIntervalHours', Number.NaN, /purgeIntervalHours is null/],
  ])('refuses %s %d, and says what is allowed', (key, value, message) => {
    const refused = (): unknown => zooKeeperConfig({ dataDir: '/zk', [key]: value });
    expect(refused).toThrow(ZooKeeperConfigError);
    expect(refused).toThrow(message);
  });
});
