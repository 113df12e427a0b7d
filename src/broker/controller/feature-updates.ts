/**
 * Finalized features (KIP-584): which changes of /feature are allowed, and their writing. Pure checks, one write for all that pass.
 * Source: KafkaController.processFeatureUpdates, validateFeatureUpdate.
 */
import { ErrorCode } from '../../protocol/errors.ts';
import type { SupportedFeatures } from '../zk/broker-info.ts';
import { ControllerMovedError } from '../zk/zk-errors.ts';
import type { ControllerParts } from './controller-parts.ts';

export interface FeatureUpdate {
  readonly feature: string;
  /** Below 1, with a downgrade: the feature is removed. */
  readonly versionLevel: number;
  readonly upgradeType: 'unknown' | 'upgrade' | 'safe-downgrade' | 'unsafe-downgrade';
}

export interface FeatureUpdateResult {
  readonly feature: string;
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

/** Errors per feature: INVALID_REQUEST with the reason; FEATURE_UPDATE_FAILED when /feature could not be written. */
export async function processFeatureUpdates(
  { zk, context, logger }: ControllerParts,
  supported: SupportedFeatures,
  updates: readonly FeatureUpdate[],
): Promise<FeatureUpdateResult[]> {
  const existing = (await zk.controller.getFeatures())?.node.features ?? {};
  const target: Record<string, number> = { ...existing };
  const refused = new Map<string, string>();
  const brokers = context.liveOrShuttingDownBrokers.map(({ features }) => features);
  for (const update of updates) {
    const problem = problemOf(update, existing[update.feature], supported, brokers);
    if (problem !== undefined) refused.set(update.feature, problem);
    else if (isDeletion(update)) delete target[update.feature];
    else target[update.feature] = update.versionLevel;
  }
  let failed = false;
  if (!sameFeatures(existing, target)) {
    try {
      await zk.controller.setFeatures(target, context.epochZkVersion);
    } catch (error) {
      if (error instanceof ControllerMovedError) throw error;
      logger.error({ err: error }, 'the finalized features could not be written');
      failed = true;
    }
  }
  return [...new Set(updates.map(({ feature }) => feature))].map((feature) => {
    const problem = refused.get(feature);
    if (problem !== undefined) return { feature, errorCode: ErrorCode.INVALID_REQUEST, errorMessage: problem };
    return { feature, errorCode: failed ? ErrorCode.FEATURE_UPDATE_FAILED : ErrorCode.NONE, errorMessage: null };
  });
}

function isDeletion({ versionLevel, upgradeType }: FeatureUpdate): boolean {
  return versionLevel < 1 && upgradeType !== 'upgrade';
}

function problemOf(
  update: FeatureUpdate,
  existing: number | undefined,
  supported: SupportedFeatures,
  brokers: readonly SupportedFeatures[],
): string | undefined {
  const { feature, versionLevel: level, upgradeType } = update;
  const isSafeDowngrade = upgradeType === 'safe-downgrade';
  if (feature === '') return 'Feature name can not be empty.';
  if (upgradeType === 'unknown') return 'Received unknown upgrade type.';
  if (isDeletion(update)) return existing === undefined ? 'Can not delete non-existing finalized feature.' : undefined;
  if (level < 1) return `Can not provide versionLevel: ${level} less than 1 without setting the SAFE downgradeType in the request.`;
  if (existing !== undefined) {
    const verb = isSafeDowngrade ? 'downgrade' : 'upgrade';
    if (level === existing) return `Can not ${verb} a finalized feature from existing versionLevel:${existing} to the same value.`;
    if (level < existing && !isSafeDowngrade) {
      return `Can not downgrade finalized feature from existing versionLevel:${existing} to provided versionLevel:${level} without setting the downgradeType to SAFE in the request.`;
    }
    if (level > existing && upgradeType !== 'upgrade') {
      return `When the downgradeType is set to SAFE in the request, the provided versionLevel:${level} can not be greater than existing versionLevel:${existing}.`;
    }
  }
  const own = supported[feature];
  if (own === undefined) return 'Could not apply finalized feature update because the provided feature is not supported.';
  if (level < own.min_version) {
    return `Could not apply finalized feature update because the provided versionLevel:${level} is lower than the supported minVersion:${own.min_version}.`;
  }
  const fits = (range: { readonly min_version: number; readonly max_version: number } | undefined): boolean =>
    range !== undefined && level >= range.min_version && level <= range.max_version;
  if (brokers.every((features) => fits(features[feature]))) return undefined;
  return 'Could not apply finalized feature update because brokers were found to have incompatible versions for the feature.';
}

function sameFeatures(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => a[name] === b[name]);
}
