/** Topics: listed, made, deleted, configured. */
import { partitionsOf, topicRow } from './fake-model.ts';
import { fail, matcher, os } from './fake-world.ts';
import type { FakeWorld } from './fake-world.ts';
import { catalog, entriesOf } from './fake-catalog.ts';

export function fakeTopics(world: FakeWorld) {
  const { cluster, readers, tell, open, next, topicOf, guard, groupRow, groupDetails } = world;
  return {
    open: os.topics.open.handler(({ input }) => {
      guard('topics');
      const match = matcher(input.filter);
      const all = [...cluster.topics.values()].filter((topic) => input.includeInternal || !topic.internal);
      const rows = all
        .filter((topic) => match(topic.name))
        .map((topic) => topicRow(cluster, topic))
        .sort((a, b) => (a.name < b.name ? -1 : 1) * (input.sort.descending ? -1 : 1));
      return { readerId: open(rows), count: rows.length, total: all.length, asOfMs: Date.now() };
    }),
    next: os.topics.next.handler(({ input }) => next(input.readerId, input.max)),
    close: os.topics.close.handler(({ input }) => (readers.delete(input.readerId), null)),
    rows: os.topics.rows.handler(({ input }) =>
      input.names.flatMap((name) => (cluster.topics.has(name) ? [topicRow(cluster, topicOf(name))] : [])),
    ),
    details: os.topics.details.handler(async ({ input }) => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      return input.names.map((name) => {
        const topic = topicOf(name);
        const records = topic.ends.reduce((sum, end) => sum + end, 0);
        return {
          name,
          records,
          sizeBytes: name.includes('dlq') ? null : records * 143 * topic.replicationFactor,
          sizeIsPartial: false,
          cleanupPolicy: topic.configs.get('cleanup.policy') ?? 'delete',
          recordsPerSecond: records === 0 ? 0 : records % 90,
          groups: [...cluster.groups]
            .filter(([, group]) => group.topic === name)
            .map(([groupId]) => ({ groupId, lag: groupDetails(groupId).lag })),
          failure: null,
        };
      });
    }),
    get: os.topics.get.handler(({ input }) => ({
      topic: topicRow(cluster, topicOf(input.topic)),
      partitions: partitionsOf(cluster, topicOf(input.topic)),
    })),
    groups: os.topics.groups.handler(({ input }) =>
      [...cluster.groups]
        .filter(([, group]) => group.topic === input.topic)
        .map(([groupId, group]) => ({ groupId, state: groupRow(groupId).state, members: group.members, lag: groupDetails(groupId).lag })),
    ),
    impact: os.topics.impact.handler(({ input }) =>
      input.names.map((name) => {
        const topic = topicOf(name);
        const records = topic.ends.reduce((sum, end) => sum + end, 0);
        return {
          name,
          partitions: topic.partitions,
          records,
          sizeBytes: records * 143,
          activeGroups: [...cluster.groups]
            .filter(([, group]) => group.topic === name && group.members > 0)
            .map(([id]) => id)
            .slice(0, 2),
        };
      }),
    ),
    configs: os.topics.configs.handler(({ input }) => entriesOf(topicOf(input.topic).configs)),
    configCatalog: os.topics.configCatalog.handler(() => catalog),
    create: os.topics.create.handler(({ input }) => {
      if (cluster.topics.has(input.name))
        fail({
          api: 'CreateTopics',
          code: 36,
          name: 'TOPIC_ALREADY_EXISTS',
          brokerId: 1,
          message: `Topic '${input.name}' already exists.`,
          retriable: false,
        });
      const partitions = input.partitions ?? 1;
      cluster.topics.set(input.name, {
        name: input.name,
        internal: false,
        partitions,
        replicationFactor: input.replicationFactor ?? 3,
        ends: Array.from({ length: partitions }, () => 0),
        configs: new Map(Object.entries(input.configs)),
      });
      tell({ kind: 'topics', ids: [input.name] });
      return { name: input.name, topicId: null, partitions, replicationFactor: 3 };
    }),
    createPartitions: os.topics.createPartitions.handler(() => null),
    alterConfigs: os.topics.alterConfigs.handler(({ input }) => {
      const { configs } = topicOf(input.topic);
      for (const change of input.changes) {
        if (change.operation === 'set' && change.value !== null) configs.set(change.name, change.value);
        else configs.delete(change.name);
      }
      tell({ kind: 'configs', ids: [`topic:${input.topic}`] });
      return null;
    }),
    delete: os.topics.delete.handler(async ({ input }) => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      const results = input.names.map((name) => {
        if (name.includes('audit')) {
          return {
            name,
            failure: {
              kind: 'notPermitted' as const,
              api: 'DeleteTopics',
              code: 29,
              name: 'TOPIC_AUTHORIZATION_FAILED',
              brokerId: 1,
              message: 'Not authorized to access the topic',
              retriable: false,
              timeoutMs: null,
            },
          };
        }
        cluster.topics.delete(name);
        return { name, failure: null };
      });
      tell({ kind: 'topics', ids: input.names });
      return results;
    }),
  };
}
