/** Kills of brokers from the flush lab, confirmed by the one dialog, with what the broker last said before. The latest per broker is kept. */
import { ref, shallowRef } from 'vue';
import type { Ref, ShallowRef } from 'vue';
import { useI18n } from 'vue-i18n';
import type { FlushLabBroker, FlushLabState, PowerLossReport } from '../../../console/contract/flush-lab.ts';
import { failureOf } from '../../../console/transport/failure-of.ts';
import { useClient } from '../../app/rpc/use-console.ts';
import { useConfirm } from '../../ui/confirm/confirm.store.ts';
import { formatBytes, formatCount } from '../../ui/format.ts';
import { notifyFailure } from '../../ui/notify.ts';
import type { Experiment, KillKind } from './experiment.ts';

/** By cluster and topic: they outlast a look at another page. */
const kept = new Map<string, readonly Experiment[]>();

export interface Experiments {
  readonly list: ShallowRef<readonly Experiment[]>;
  readonly busy: Ref<number | null>;
  readonly kill: (kind: KillKind, broker: FlushLabBroker) => Promise<void>;
  readonly start: (brokerId: number) => Promise<void>;
}

export function useExperiments(of: {
  readonly clusterId: () => string;
  readonly topic: () => string;
  readonly replicationFactor: () => number;
  readonly onDone: () => void;
}): Experiments {
  const { t } = useI18n();
  const client = useClient();
  const confirm = useConfirm();
  const key = `${of.clusterId()}/${of.topic()}`;
  const list = shallowRef<readonly Experiment[]>(kept.get(key) ?? []);
  const busy = ref<number | null>(null);
  const input = () => ({ clusterId: of.clusterId(), topic: of.topic() });
  const processOf = (brokerId: number) => ({ clusterId: of.clusterId(), processId: `broker-${brokerId}` });

  async function carryOut(kind: KillKind, brokerId: number): Promise<void> {
    const before: FlushLabState = await client.flushLab.state(input());
    let report: PowerLossReport | null = null;
    if (kind === 'powerLoss') report = await client.flushLab.losePower({ clusterId: of.clusterId(), brokerId });
    else await client.processes.kill(processOf(brokerId));
    const replicas = before.brokers.find((broker) => broker.brokerId === brokerId)?.flush?.replicas ?? [];
    const atMs = report?.atMs ?? before.atMs;
    const experiment = { brokerId, kind, atMs, before: replicas, replicationFactor: of.replicationFactor(), report };
    list.value = [experiment, ...list.value.filter((other) => other.brokerId !== brokerId)];
    kept.set(key, list.value);
  }

  async function kill(kind: KillKind, { brokerId, flush }: FlushLabBroker): Promise<void> {
    const name = t('brokers.name', { id: brokerId });
    const atRisk = flush?.replicas.reduce((sum, { unflushedBytes }) => sum + unflushedBytes, 0);
    const messages = flush?.replicas.reduce((sum, { unflushedMessages }) => sum + unflushedMessages, 0);
    await confirm.ask({
      title: t(`flushLab.kill.${kind}Title`, { id: brokerId }),
      explanation: t(`flushLab.kill.${kind}Explanation`),
      verb: t(`flushLab.kill.${kind}Verb`),
      names: [name],
      impact: () =>
        Promise.resolve([
          {
            name,
            facts:
              atRisk === undefined || messages === undefined
                ? []
                : [
                    `${of.topic()}: ${t('flushLab.result.lesson.records', { count: formatCount(messages) }, messages)}, ${formatBytes(atRisk)} ${t('flushLab.replicas.atRisk').toLowerCase()}`,
                  ],
            warning: null,
          },
        ]),
      run: async () => {
        await carryOut(kind, brokerId);
        return [{ name, failure: null }];
      },
    });
    of.onDone();
  }

  async function start(brokerId: number): Promise<void> {
    busy.value = brokerId;
    try {
      await client.processes.start(processOf(brokerId));
    } catch (error) {
      notifyFailure(t('flushLab.kill.startFailed', { id: brokerId }), failureOf(error));
    } finally {
      busy.value = null;
      of.onDone();
    }
  }
  return { list, busy, kill, start };
}
