import { expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { encodeFeatures } from '../zk/zk-data.ts';
import type { FeatureUpdate } from './feature-updates.ts';
import { brokerInfoOf, ControllerCluster } from './testing/controller-cluster.ts';

const SUPPORTED = { fast: { min_version: 2, max_version: 5 } };

/** Two brokers; `features` are finalized in /feature, `supported` by both brokers (or only the first). */
async function clusterWith(
  features: Record<string, number>,
  supported: readonly (typeof SUPPORTED | Record<string, never>)[] = [SUPPORTED, SUPPORTED],
) {
  const cluster = new ControllerCluster();
  for (const [index, own] of supported.entries()) await cluster.start(index + 1, { ...brokerInfoOf(index + 1), features: own });
  await cluster.brokers.get(1)!.zk.session.setData('/feature', encodeFeatures({ enabled: true, features }), -1);
  return cluster;
}

async function update(cluster: ControllerCluster, ...updates: FeatureUpdate[]): Promise<string[]> {
  const answer = cluster.active!.controller.updateFeatures(updates);
  await cluster.settle();
  return (await answer).map(({ feature, errorCode, errorMessage }) => `${feature}: ${errorCode} ${errorMessage ?? ''}`.trim());
}

const featuresIn = (cluster: ControllerCluster): unknown => JSON.parse(cluster.zooKeeper.read('/feature') ?? '').features;
const up = (feature: string, versionLevel: number): FeatureUpdate => ({ feature, versionLevel, upgradeType: 'upgrade' });
const down = (feature: string, versionLevel: number): FeatureUpdate => ({ feature, versionLevel, upgradeType: 'safe-downgrade' });

it('raises, lowers and removes a finalized feature that all brokers support, in one write with others that are refused', async () => {
  const cluster = await clusterWith({ old: 3 });
  expect(await update(cluster, up('fast', 3), up('unknown', 1))).toEqual([
    'fast: 0',
    `unknown: ${ErrorCode.INVALID_REQUEST} Could not apply finalized feature update because the provided feature is not supported.`,
  ]);
  expect(featuresIn(cluster)).toEqual({ old: 3, fast: 3 });
  expect(await update(cluster, down('fast', 2), down('old', 0))).toEqual(['fast: 0', 'old: 0']);
  expect(featuresIn(cluster)).toEqual({ fast: 2 });
});

it.each([
  [up('', 1), 'Feature name can not be empty.'],
  [{ ...up('fast', 3), upgradeType: 'unknown' as const }, 'Received unknown upgrade type.'],
  [down('fast', 0), 'Can not delete non-existing finalized feature.'],
  [up('fast', 0), 'without setting the SAFE downgradeType'],
  [up('old', 3), 'to the same value'],
  [up('old', 2), 'without setting the downgradeType to SAFE'],
  [down('old', 4), 'can not be greater than existing'],
  [up('fast', 1), 'lower than the supported minVersion:2'],
  [up('fast', 6), 'brokers were found to have incompatible versions'],
])('refuses %o', async (asked, message) => {
  const cluster = await clusterWith({ old: 3 });
  expect((await update(cluster, asked))[0]).toContain(message);
  expect(featuresIn(cluster)).toEqual({ old: 3 });
});

it('refuses what one of the brokers does not support', async () => {
  const cluster = await clusterWith({}, [SUPPORTED, {}]);
  expect((await update(cluster, up('fast', 3)))[0]).toContain('incompatible versions');
});
