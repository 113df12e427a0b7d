/**
 * Which groups read a topic and how far behind each is, for many topics at once: one OffsetFetch per coordinator for all groups,
 * shared by all who ask, and turned round (by topic) once per answer. A group counts when it has committed an offset of the topic.
 */
import type { KeyResults } from '../../client/admin/keyed-call.ts';
import type { GroupOffsets } from '../../client/admin/offsets.ts';
import { KafkaError } from '../../protocol/errors.ts';
import type { TopicReader } from '../contract/topics.ts';
import type { ClusterSession } from './cluster-session.ts';
import { lagOf } from './lag.ts';
import { within } from './within.ts';

const MAX_AGE_MS = 500;
/** The other columns are not to wait longer for the groups than this. */
const WAIT_MS = 1_500;

/** Group id to what it has committed of one topic: partition key to offset. */
type Commits = Map<string, Map<string, number>>;

const byTopic = new WeakMap<KeyResults<GroupOffsets>, Map<string, Commits>>();

/**
 * The readers of each of `names` that has any; undefined when the groups, or some of them, did not answer in time. `endOf` gives a partition's end offset
 * by its key, null when that is unknown: then the group's lag is the sum of the others, or null.
 */
export async function topicReaders(
  session: ClusterSession,
  names: readonly string[],
): Promise<((topic: string, endOf: (key: string) => number | null) => readonly TopicReader[]) | undefined> {
  if (names.length === 0) return () => [];
  try {
    const aged = await within(session.runtime.scheduler, WAIT_MS, session.groupOffsets.getCheaply(MAX_AGE_MS));
    if (aged === undefined) return undefined;
    // A group whose commits are unknown may read any topic: a number without it would be wrong.
    for (const offsets of aged.value.values()) if (offsets instanceof KafkaError) return undefined;
    const index = indexed(aged.value);
    return (topic, endOf) => readersOf(index.get(topic), endOf);
  } catch {
    return undefined;
  }
}

function readersOf(commits: Commits | undefined, endOf: (key: string) => number | null): TopicReader[] {
  const readers = Array.from(commits ?? [], ([groupId, offsets]): TopicReader => {
    let lag: number | null = null;
    for (const [key, offset] of offsets) {
      const behind = lagOf(offset, endOf(key));
      if (behind !== null) lag = (lag ?? 0) + behind;
    }
    return { groupId, lag };
  });
  return readers.toSorted((a, b) => (b.lag ?? -1) - (a.lag ?? -1) || (a.groupId < b.groupId ? -1 : 1));
}

function indexed(results: KeyResults<GroupOffsets>): Map<string, Commits> {
  const known = byTopic.get(results);
  if (known !== undefined) return known;
  const index = new Map<string, Commits>();
  for (const [groupId, offsets] of results) {
    if (offsets instanceof KafkaError) continue;
    for (const [key, committed] of offsets) {
      if (committed instanceof KafkaError || committed.offset < 0) continue;
      const commits = index.get(committed.topic) ?? new Map<string, Map<string, number>>();
      index.set(committed.topic, commits);
      const own = commits.get(groupId) ?? new Map<string, number>();
      commits.set(groupId, own);
      own.set(key, committed.offset);
    }
  }
  byTopic.set(results, index);
  return index;
}
