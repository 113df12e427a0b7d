/** Consumer groups. */
import { fail, matcher, os } from './fake-world.ts';
import type { FakeWorld } from './fake-world.ts';

export function fakeGroups(world: FakeWorld) {
  const { cluster, readers, tell, open, next, topicOf, guard, groupRow, groupDetails } = world;
  return {
    open: os.groups.open.handler(({ input }) => {
      guard('groups');
      const match = matcher(input.filter);
      const rows = [...cluster.groups.keys()].filter(match).sort().map(groupRow);
      return { readerId: open(rows), count: rows.length, total: cluster.groups.size, asOfMs: Date.now(), failures: [] };
    }),
    next: os.groups.next.handler(({ input }) => next(input.readerId, input.max)),
    close: os.groups.close.handler(({ input }) => (readers.delete(input.readerId), null)),
    rows: os.groups.rows.handler(({ input }) => input.groupIds.flatMap((id) => (cluster.groups.has(id) ? [groupRow(id)] : []))),
    details: os.groups.details.handler(({ input }) => input.groupIds.map(groupDetails)),
    get: os.groups.get.handler(({ input }) => {
      const group =
        cluster.groups.get(input.groupId) ??
        fail({
          kind: 'notFound',
          api: 'DescribeGroups',
          code: 69,
          name: 'GROUP_ID_NOT_FOUND',
          message: `There is no group ${input.groupId}`,
          retriable: false,
        });
      const topic = topicOf(group.topic);
      const member = (index: number) => ({
        memberId: `kafkajs-${index}-5a1c7d0e-91fe-4c04-8d2e-${index}b7c0a1f3d4e5`,
        clientId: `app-${index}`,
        host: '/127.0.0.1',
      });
      const offsets = topic.ends.map((endOffset, partition) => {
        const of = group.members > 0 ? member(partition % group.members) : null;
        const isUnknown = input.groupId.startsWith('fraud') && partition === 1;
        const committedOffset = partition === 2 && topic.partitions > 4 ? null : (group.committed[partition] ?? null);
        return {
          topic: topic.name,
          partition,
          committedOffset,
          committedLeaderEpoch: 0,
          metadata: '',
          startOffset: 0,
          endOffset: isUnknown ? null : endOffset,
          lag: isUnknown || committedOffset === null ? null : Math.max(0, endOffset - committedOffset),
          memberId: of?.memberId ?? null,
          clientId: of?.clientId ?? null,
          host: of?.host ?? null,
          failure: null,
        };
      });
      return {
        group: groupRow(input.groupId),
        protocol: group.members > 0 ? 'RoundRobinAssigner' : null,
        members: Array.from({ length: group.members }, (_, index) => ({
          ...member(index),
          groupInstanceId: null,
          assignment: [
            {
              topic: topic.name,
              partitions: topic.ends.map((__, partition) => partition).filter((partition) => partition % group.members === index),
            },
          ],
        })),
        offsets,
        lag: offsets.reduce((sum, row) => sum + (row.lag ?? 0), 0),
      };
    }),
    delete: os.groups.delete.handler(({ input }) => {
      for (const id of input.groupIds) cluster.groups.delete(id);
      tell({ kind: 'groups', ids: input.groupIds });
      return input.groupIds.map((name) => ({ name, failure: null }));
    }),
  };
}
