/** Partitions, and what the make-believe cluster has nothing to measure for: numbers that nobody measured would be a lie, also here, and the page shows how it is refused. */
import { noLab, os } from './fake-world.ts';

export function fakePartitions() {
  return {
    electPreferred: os.partitions.electPreferred.handler(() => noLab()),
    electUnclean: os.partitions.electUnclean.handler(() => noLab()),
    plan: os.partitions.plan.handler(() => noLab()),
    reassign: os.partitions.reassign.handler(() => noLab()),
    cancelReassignment: os.partitions.cancelReassignment.handler(() => noLab()),
    reassignments: os.partitions.reassignments.handler(() => []),
    throttle: os.partitions.throttle.handler(() => null),
    setThrottle: os.partitions.setThrottle.handler(() => noLab()),
    replication: os.partitions.replication.handler(() => noLab()),
  };
}

export function fakeRetention() {
  return {
    replica: os.retention.replica.handler(() => noLab()),
  };
}

export function fakeFlushLab() {
  return {
    state: os.flushLab.state.handler(() => noLab()),
    settings: os.flushLab.settings.handler(() => noLab()),
    set: os.flushLab.set.handler(() => noLab()),
    losePower: os.flushLab.losePower.handler(() => noLab()),
    startLoad: os.flushLab.startLoad.handler(() => noLab()),
    stopLoad: os.flushLab.stopLoad.handler(() => noLab()),
  };
}
