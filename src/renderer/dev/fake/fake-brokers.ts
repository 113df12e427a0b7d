/** Processes, which can be stopped and started, and brokers. */
import type { ProcessState, ProcessStatus } from '../../../console/contract/processes.ts';
import { partitionsOf } from './fake-model.ts';
import { fail, noLab, os } from './fake-world.ts';
import type { FakeWorld } from './fake-world.ts';
import { entriesOf } from './fake-catalog.ts';

export function fakeProcesses(world: FakeWorld) {
  const { cluster, tell, happened } = world;
  const act = async (processId: string, through: ProcessState, end: ProcessState, line: string): Promise<ProcessStatus> => {
    const before = cluster.processes.get(processId) ?? fail({ kind: 'notFound', message: `No process ${processId}` });
    const set = (change: Partial<ProcessStatus>): ProcessStatus => {
      const now = { ...(cluster.processes.get(processId) ?? before), ...change };
      cluster.processes.set(processId, now);
      tell(
        { kind: 'processes', ids: [processId] },
        { kind: 'brokers', ids: null },
        { kind: 'partitions', ids: null },
        { kind: 'cluster', ids: null },
      );
      return now;
    };
    set({ state: through });
    await new Promise((resolve) => setTimeout(resolve, 400));
    const isUp = end === 'running' || end === 'frozen';
    const after = set({
      state: end,
      pid: isUp ? (before.pid ?? 51_000) : null,
      startedAtMs: end === 'running' && before.state !== 'frozen' ? Date.now() : before.startedAtMs,
    });
    if (before.brokerId === cluster.controllerId && end !== 'running') {
      cluster.controllerId = (before.brokerId % 3) + 1;
      happened('controller.elected', 'info', `Broker ${cluster.controllerId} became the controller`);
    }
    happened(isUp ? 'process.started' : 'process.exited', isUp ? 'info' : 'warning', `${processId} ${line}`);
    return after;
  };
  return {
    list: os.processes.list.handler(() => [...cluster.processes.values()]),
    logs: os.processes.logs.handler(({ input }) => {
      const all = Array.from({ length: 400 + Math.floor((Date.now() / 1000) % 1000) }, (_, index) => ({
        sequence: index + 1,
        atMs: Date.now() - (1400 - index) * 1000,
        level: index % 37 === 36 ? ('warn' as const) : index % 151 === 150 ? ('error' as const) : ('info' as const),
        component: ['ReplicaManager', 'LogManager', 'GroupCoordinator', 'SocketServer'][index % 4] ?? null,
        text:
          index % 37 === 36
            ? `Shrinking ISR of orders.raw-${index % 6} from 1,2,3 to 1,3: broker 2 did not catch up for 30000 ms`
            : `Rolled a new segment of orders.raw-${index % 6} at offset ${index * 997}`,
      }));
      const wanted = all.filter(
        (line) => line.sequence > input.after && (input.text === undefined || line.text.toLowerCase().includes(input.text.toLowerCase())),
      );
      return { lines: wanted.slice(0, input.max), dropped: 0 };
    }),
    cutOff: os.processes.cutOff.handler(({ input }) => {
      const before = cluster.processes.get(input.processId) ?? fail({ kind: 'notFound', message: `No process ${input.processId}` });
      const after = { ...before, cutOffFrom: input.from };
      cluster.processes.set(input.processId, after);
      tell({ kind: 'processes', ids: [input.processId] });
      return after;
    }),
    stop: os.processes.stop.handler(({ input }) => act(input.processId, 'stopping', 'stopped', 'was stopped by the user')),
    start: os.processes.start.handler(({ input }) => act(input.processId, 'starting', 'running', 'started')),
    restart: os.processes.restart.handler(({ input }) => act(input.processId, 'starting', 'running', 'was started again by the user')),
    freeze: os.processes.freeze.handler(({ input }) => act(input.processId, 'running', 'frozen', 'was frozen by the user')),
    thaw: os.processes.thaw.handler(({ input }) => act(input.processId, 'frozen', 'running', 'was thawed by the user')),
    kill: os.processes.kill.handler(({ input }) => act(input.processId, 'stopping', 'stopped', 'was killed (SIGKILL) by the user')),
  };
}

export function fakeBrokers(world: FakeWorld) {
  const { cluster, guard, brokerRow } = world;
  return {
    list: os.brokers.list.handler(() => (guard('brokers'), [1, 2, 3].map(brokerRow))),
    sizes: os.brokers.sizes.handler(() => [1, 2, 3].map((brokerId) => ({ brokerId, sizeBytes: brokerId * 731_000_123, failure: null }))),
    get: os.brokers.get.handler(({ input }) => ({
      broker: brokerRow(input.brokerId),
      apiVersions: [
        { key: 0, name: 'Produce', min: 0, max: 11 },
        { key: 1, name: 'Fetch', min: 4, max: 16 },
        { key: 3, name: 'Metadata', min: 0, max: 12 },
      ],
      logDirs: [
        {
          path: `/home/ada/.local/share/samsa/local/broker-${input.brokerId}/data`,
          sizeBytes: 731_000_123,
          replicas: 214,
          totalBytes: 512e9,
          usableBytes: 201e9,
          failure: null,
        },
      ],
      failures: [],
    })),
    partitions: os.brokers.partitions.handler(({ input }) =>
      [...cluster.topics.values()].flatMap((topic) =>
        partitionsOf(cluster, topic)
          .filter((row) => row.replicas.includes(input.brokerId))
          .map((row) => ({
            topic: topic.name,
            partition: row.partition,
            role: row.leader === input.brokerId ? ('leader' as const) : ('follower' as const),
            inSync: row.isr.includes(input.brokerId),
          })),
      ),
    ),
    replicas: os.brokers.replicas.handler(() => noLab()),
    moveReplicas: os.brokers.moveReplicas.handler(() => noLab()),
    throttleMoves: os.brokers.throttleMoves.handler(() => noLab()),
    configs: os.brokers.configs.handler(() =>
      entriesOf(new Map()).map((entry) => ({ ...entry, name: `log.${entry.name}`, readOnly: entry.name.startsWith('segment') })),
    ),
    alterConfigs: os.brokers.alterConfigs.handler(() => null),
  };
}
