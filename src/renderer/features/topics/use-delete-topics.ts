/** Deletes topics after the one dialog: what each holds, who reads it, and per topic whether it was done. */
import { useI18n } from 'vue-i18n';
import { useClient } from '../../app/rpc/use-console.ts';
import { useConfirm } from '../../ui/confirm/confirm.store.ts';
import type { Impact } from '../../ui/confirm/confirm.store.ts';
import { formatBytes, formatCount } from '../../ui/format.ts';
import { notify } from '../../ui/notify.ts';
import { useCluster } from '../clusters/use-cluster.ts';

export function useDeleteTopics(): (names: readonly string[]) => Promise<readonly string[]> {
  const { t } = useI18n();
  const client = useClient();
  const confirm = useConfirm();
  const { clusterId, cluster } = useCluster();

  return async (names) => {
    const wanted = [...names];
    const input = { clusterId: clusterId.value, names: wanted };
    const count = wanted.length;
    const deleted = await confirm.ask({
      title: t('topics.delete.title', { count, name: wanted[0] ?? '' }, count),
      explanation: t('topics.delete.explanation'),
      verb: t('topics.delete.verb', { count }, count),
      names: wanted,
      impact: async (): Promise<readonly Impact[]> =>
        (await client.topics.impact(input)).map((impact) => ({
          name: impact.name,
          facts: [
            impact.records === null
              ? t('topics.delete.recordsUnknown')
              : t('topics.delete.records', { count: formatCount(impact.records) }, impact.records),
            ...(impact.sizeBytes === null ? [] : [formatBytes(impact.sizeBytes)]),
          ],
          warning:
            impact.activeGroups.length === 0
              ? null
              : t('topics.delete.activeGroups', { groups: impact.activeGroups.join(', ') }, impact.activeGroups.length),
        })),
      typed: cluster.value?.environment === 'prod' ? (count === 1 ? (wanted[0] ?? null) : cluster.value.name) : null,
      run: () => client.topics.delete(input),
    });
    if (deleted.length > 0) {
      notify({
        title: t('topics.delete.done', { count: deleted.length, name: deleted[0] ?? '' }, deleted.length),
        icon: 'i-lucide-check',
        color: 'neutral',
      });
    }
    return deleted;
  };
}
