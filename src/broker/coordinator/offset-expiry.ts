/**
 * When a committed offset is too old to keep (KIP-211): counted from the moment the group became empty, from the commit for
 * a consumer that manages its partitions itself, and for a live group only where nobody subscribes to the topic any more.
 * Source: `GroupMetadata.removeExpiredOffsets`.
 */
import { CONSUMER_PROTOCOL_TYPE } from './group-metadata.ts';
import type { GroupMetadata } from './group-metadata.ts';
import type { CommittedOffset } from './offset-store.ts';

export function isExpired(group: GroupMetadata, offset: CommittedOffset, nowMs: number, retentionMs: number): boolean {
  if (group.offsets.isPending(offset.topic, offset.partition)) return false;
  const since = retentionStart(group, offset);
  if (since === undefined) return false;
  // An explicit retention of an old client counts as it is.
  return offset.expireTimestamp >= 0 ? nowMs >= offset.expireTimestamp : nowMs - since >= retentionMs;
}

/** The time from which retention counts; undefined while it doesn't. */
function retentionStart(group: GroupMetadata, offset: CommittedOffset): number | undefined {
  if (group.protocolType === undefined) return offset.commitTimestamp;
  // Groups that were written before Kafka 2.1 don't know since when they are empty.
  if (group.is('Empty')) return group.currentStateTimestamp ?? offset.commitTimestamp;
  const canTell = group.protocolType === CONSUMER_PROTOCOL_TYPE && group.is('Stable') && group.subscribedTopics !== undefined;
  return canTell && !group.isSubscribedTo(offset.topic) ? offset.commitTimestamp : undefined;
}
