/** Start, stop, restart, freeze, thaw and kill for a local cluster's processes: run, reported, and confirmed where something may be lost. */
import { ref } from 'vue';
import { useI18n } from 'vue-i18n';
import type { ProcessStatus } from '../../../console/contract/processes.ts';
import { failureOf } from '../../../console/transport/failure-of.ts';
import { useClient } from '../../app/rpc/use-console.ts';
import { useConfirm } from '../../ui/confirm/confirm.store.ts';
import type { GridAction } from '../../ui/grid/grid-action.ts';
import { notifyFailure } from '../../ui/notify.ts';
import { useCluster } from '../clusters/use-cluster.ts';
import { isPossible, processActions } from './process-look.ts';
import type { ProcessAction } from './process-look.ts';

const icons: Readonly<Record<ProcessAction, string>> = {
  start: 'i-lucide-play',
  stop: 'i-lucide-square',
  restart: 'i-lucide-rotate-cw',
  freeze: 'i-lucide-snowflake',
  thaw: 'i-lucide-flame',
  kill: 'i-lucide-zap',
};

export interface ProcessActions {
  /** All six, the impossible ones with the reason. `leads`: partitions it is the leader of, for the kill dialog. */
  readonly actionsFor: (process: ProcessStatus | null, leads?: number | null) => readonly (GridAction & { readonly key: ProcessAction })[];
  readonly isBusy: (processId: string) => boolean;
}

export function useProcessActions(): ProcessActions {
  const { t } = useI18n();
  const client = useClient();
  const confirm = useConfirm();
  const { clusterId, cluster, reasonAgainst } = useCluster();
  const busy = ref(new Set<string>());

  const nameOf = (process: ProcessStatus): string =>
    process.brokerId === null ? t(`processes.role.${process.role}`) : t('brokers.name', { id: process.brokerId });

  async function call(action: ProcessAction, process: ProcessStatus): Promise<void> {
    busy.value.add(process.id);
    try {
      await client.processes[action]({ clusterId: clusterId.value, processId: process.id });
    } finally {
      busy.value.delete(process.id);
    }
  }

  async function run(action: ProcessAction, process: ProcessStatus, leads: number | null): Promise<void> {
    if (action === 'kill') {
      await confirm.ask({
        title: t('processes.kill.title', { name: nameOf(process) }),
        explanation: t('processes.kill.explanation'),
        verb: t('processes.kill.verb'),
        names: [nameOf(process)],
        impact: () =>
          Promise.resolve([
            {
              name: nameOf(process),
              facts: [
                process.pid === null ? '' : `pid ${process.pid}`,
                leads === null ? '' : t('processes.kill.leads', { count: leads }, leads),
              ].filter((fact) => fact !== ''),
              warning: null,
            },
          ]),
        typed: cluster.value?.environment === 'prod' ? cluster.value.name : null,
        run: async () => {
          await call('kill', process);
          return [{ name: nameOf(process), failure: null }];
        },
      });
      return;
    }
    try {
      await call(action, process);
    } catch (error) {
      notifyFailure(t('processes.failed', { action: t(`processes.action.${action}`), name: nameOf(process) }), failureOf(error));
    }
  }

  return {
    isBusy: (processId) => busy.value.has(processId),
    actionsFor: (process, leads = null) =>
      processActions.map((action) => {
        const against =
          process === null
            ? (reasonAgainst('processes') ?? t('processes.none'))
            : (reasonAgainst('processes', 'write') ??
              (busy.value.has(process.id)
                ? t('processes.busy')
                : isPossible(action, process)
                  ? null
                  : t('processes.notNow', { state: t(`processes.state.${process.state}`).toLowerCase() })));
        return {
          key: action,
          label: t(`processes.action.${action}`),
          icon: icons[action],
          destructive: action === 'kill',
          disabledReason: against,
          run: () => {
            if (process !== null) void run(action, process, leads);
          },
        };
      }),
  };
}
