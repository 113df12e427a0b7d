/** The controller as the cluster's metadata names it, and, on a local cluster, as it describes itself. */
import type { ReassigningAnswer } from '../../introspection/answers/reassigning.ts';
import type { ControllerState, ReassignmentProgress } from '../contract/controller.ts';
import { askBroker } from './ask-process.ts';
import type { ClusterSession } from './cluster-session.ts';
import { toFailure } from './failures.ts';

const METADATA_MS = 2_000;
/** Reassignments and deletions told. */
const MAX_TOLD = 500;

export async function getController(session: ClusterSession): Promise<ControllerState> {
  const atMs = session.runtime.clock.wallMs();
  const controllerId = (await session.view.get(METADATA_MS)).value.controllerId ?? -1;
  if (!session.isLocal || controllerId < 0) return { controllerId, atMs, inside: null, failure: null, progress: [] };
  try {
    const inside = await askBroker(session, controllerId, 'controller.describe', { max: MAX_TOLD });
    const leaders = new Set(inside.reassignments.map(({ leader }) => leader).filter((leader) => leader >= 0));
    const progress = await Promise.all(Array.from(leaders, (leader) => progressOf(session, leader)));
    return { controllerId, atMs, inside, failure: null, progress: progress.flat() };
  } catch (error) {
    return {
      controllerId,
      atMs,
      inside: null,
      failure: toFailure(error, { api: 'controller.describe', brokerId: controllerId }),
      progress: [],
    };
  }
}

/** A leader that doesn't answer tells of no progress: the controller still says what is under way. */
async function progressOf(session: ClusterSession, leader: number): Promise<ReassignmentProgress[]> {
  const answer = await askBroker(session, leader, 'replication.reassigning', { max: MAX_TOLD }).catch(() => undefined);
  return (answer?.partitions ?? []).map(progress);
}

function progress(partition: ReassigningAnswer['partitions'][number]): ReassignmentProgress {
  const { topic, partition: index, sizeBytes, logStartOffset, logEndOffset } = partition;
  const lag = Math.max(0, ...partition.replicas.filter(({ isAdding }) => isAdding).map((replica) => replica.lag));
  const records = Math.max(0, logEndOffset - logStartOffset);
  return { topic, partition: index, sizeBytes, lag, done: records === 0 ? 1 : Math.max(0, 1 - lag / records) };
}
