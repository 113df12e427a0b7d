/** Deletes groups (their committed offsets) after the one dialog. */
import { useI18n } from 'vue-i18n';
import { useClient } from '../../app/rpc/use-console.ts';
import { useConfirm } from '../../ui/confirm/confirm.store.ts';
import { formatCount } from '../../ui/format.ts';
import { notify } from '../../ui/notify.ts';
import { useCluster } from '../clusters/use-cluster.ts';

export function useDeleteGroups(): (groupIds: readonly string[]) => Promise<readonly string[]> {
  const { t } = useI18n();
  const client = useClient();
  const confirm = useConfirm();
  const { clusterId, cluster } = useCluster();

  return async (groupIds) => {
    const input = { clusterId: clusterId.value, groupIds: [...groupIds] };
    const count = groupIds.length;
    const deleted = await confirm.ask({
      title: t('groups.delete.title', { count, name: groupIds[0] ?? '' }, count),
      explanation: t('groups.delete.explanation'),
      verb: t('groups.delete.verb', { count }, count),
      names: groupIds,
      impact: async () =>
        (await client.groups.details({ ...input, groupIds: input.groupIds.slice(0, 500) })).map((details) => ({
          name: details.groupId,
          facts: [
            ...(details.topics === null ? [] : [t('groups.delete.topics', { count: details.topics.length }, details.topics.length)]),
            ...(details.lag === null ? [] : [t('groups.delete.lag', { lag: formatCount(details.lag) })]),
          ],
          warning: (details.members ?? 0) > 0 ? t('groups.delete.members', { count: details.members ?? 0 }, details.members ?? 0) : null,
        })),
      typed: cluster.value?.environment === 'prod' ? (count === 1 ? (groupIds[0] ?? null) : cluster.value.name) : null,
      run: () => client.groups.delete(input),
    });
    if (deleted.length > 0) {
      notify({
        title: t('groups.delete.done', { count: deleted.length, name: deleted[0] ?? '' }, deleted.length),
        icon: 'i-lucide-check',
        color: 'neutral',
      });
    }
    return deleted;
  };
}
