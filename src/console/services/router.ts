/**
 * The contract implemented: each procedure is a line here and a function in its service. The two middlewares stand before all of
 * them: Read-only is enforced by the procedure's declared effect, and whatever is thrown becomes a FAILURE that a page can show.
 */
import { ORPCError, implement } from '@orpc/server';
import type { Logger } from '../../runtime/logger.ts';
import { askBroker } from './ask-process.ts';
import type { ClusterControl } from './cluster-control.ts';
import { contract } from '../contract/contract.ts';
import type { ProcessStatus } from '../contract/processes.ts';
import type { ProcedureMeta } from '../contract/procedure.ts';
import { askSupervisor } from './ask-process.ts';
import { alterBrokerConfigs, brokerConfigs, brokerPartitions, brokerSizes, getBroker, listBrokers } from './brokers-service.ts';
import type { ProcessAction } from './cluster-control.ts';
import type { ClusterDirectory, KnownCluster } from './cluster-directory.ts';
import type { ClusterSession } from './cluster-session.ts';
import { clusterDetail, clusterSummary } from './clusters-service.ts';
import { getController } from './controller-service.ts';
import { cutOffProcess } from './cut-off.ts';
import { FailureError, refuse, toFailure } from './failures.ts';
import { flushLabState, flushSettings, losePower, setFlushSetting, startLoad, stopLoad } from './flush-lab-service.ts';
import { deleteGroups, getGroup, groupDetails, groupRows, listGroupRows } from './groups-service.ts';
import type { LocalClustersService } from './local-clusters-service.ts';
import { MessageReader } from './message-reader.ts';
import { openRead } from './messages-service.ts';
import type { PayloadCache } from './messages-service.ts';
import { brokerReplicas, moveReplicas, throttleMoves } from './replica-moves.ts';
import { getOverview } from './overview-service.ts';
import {
  cancelReassignments,
  electPartitionLeaders,
  getReplication,
  getThrottle,
  planMoves,
  reassignPartitions,
  setThrottle,
  topicReassignments,
} from './partitions-service.ts';
import { ListReader } from './readers.ts';
import type { ReaderRegistry } from './readers.ts';
import { batchRecords, segmentBatches } from './segment-batches.ts';
import { segmentFile } from './segment-files.ts';
import { segmentLookup } from './segment-lookup.ts';
import { replicaContents, replicaFolders } from './segments-service.ts';
import { alterTopicConfigs, createPartitions, createTopic, deleteTopics } from './topic-changes.ts';
import { topicConfigCatalog } from './topic-config-catalog.ts';
import { getTopic, listTopicRows, topicConfigs, topicDetails, topicGroups, topicImpact, topicRows } from './topics-service.ts';
import { znode, znodeChildren, zooKeeperSession, zooKeeperSessions, zooKeeperWatches } from './zookeeper-service.ts';

/** What belongs to one connected page. */
export interface ConnectionContext {
  readonly host: 'electron' | 'browser';
  readonly readers: ReaderRegistry;
  readonly payloads: PayloadCache;
}

export interface RouterOptions {
  readonly directory: ClusterDirectory;
  readonly local: LocalClustersService;
  readonly logger: Logger;
  readonly version: string;
  readonly wallMs: () => number;
}

class TopicListReader extends ListReader<Awaited<ReturnType<typeof listTopicRows>>['rows'][number]> {}
class GroupListReader extends ListReader<Awaited<ReturnType<typeof listGroupRows>>['rows'][number]> {}

// oxlint-disable-next-line max-lines-per-function -- a table, one entry a procedure
export function createRouter({ directory, local, logger, version, wallMs }: RouterOptions) {
  const base = implement(contract)
    .$context<ConnectionContext>()
    .use(async ({ next, path }) => {
      try {
        return await next();
      } catch (error) {
        throw asContractError(error, path, logger);
      }
    })
    .use(({ next, procedure }, input) => {
      enforceEffect(directory, procedure['~orpc'].meta, input);
      return next();
    });
  const of = ({ clusterId }: { readonly clusterId: string }): KnownCluster => directory.get(clusterId);
  const sessionOf = (input: { readonly clusterId: string }): ClusterSession => of(input).session;
  const act =
    (action: ProcessAction) =>
    async (input: { readonly clusterId: string; readonly processId: string }): Promise<ProcessStatus> => {
      const known = of(input);
      const status = await controlOf(known.session).act(input.processId, action);
      known.session.changed([{ kind: 'processes', ids: [input.processId] }]);
      known.watcher.lookNow();
      return status;
    };
  /** After a change made here, the watcher looks at once: the page sees it settle without waiting for the next look. */
  const then = async <T>(input: { readonly clusterId: string }, work: (session: ClusterSession) => Promise<T>): Promise<T> => {
    const { session, watcher } = of(input);
    const result = await work(session);
    watcher.lookNow();
    return result;
  };

  return base.router({
    session: {
      hello: base.session.hello.handler(({ context }) => ({
        product: 'samsa' as const,
        version,
        host: context.host,
        serverTimeMs: wallMs(),
      })),
    },
    clusters: {
      list: base.clusters.list.handler(async () => {
        await local.refresh();
        return directory.all().map(({ session }) => clusterSummary(session));
      }),
      create: base.clusters.create.handler(({ input }) => local.create(input)),
      start: base.clusters.start.handler(({ input }) => local.start(input.clusterId)),
      stop: base.clusters.stop.handler(({ input }) => local.stop(input.clusterId)),
      remove: base.clusters.remove.handler(({ input }) => local.remove(input.clusterId)),
      makeUp: base.clusters.makeUp.handler(({ input }) => local.makeUp(input.clusterId)),
      change: base.clusters.change.handler(({ input }) => local.change(input.clusterId, input.change, input.restart)),
      checkZooKeeper: base.clusters.checkZooKeeper.handler(({ input }) => local.checkZooKeeper(input.connect)),
      get: base.clusters.get.handler(({ input }) => clusterDetail(sessionOf(input))),
      zookeeper: base.clusters.zookeeper.handler(({ input }) => askSupervisor(sessionOf(input), 'supervisor.zookeeper', {})),
    },
    overview: { get: base.overview.get.handler(({ input }) => getOverview(sessionOf(input))) },
    processes: {
      list: base.processes.list.handler(async ({ input }) => (await controlOf(sessionOf(input)).status()).processes),
      logs: base.processes.logs.handler(({ input: { after, max, text, ...input } }) =>
        controlOf(sessionOf(input)).logs(input.processId, { after, max, text }),
      ),
      stop: base.processes.stop.handler(({ input }) => act('stop')(input)),
      start: base.processes.start.handler(({ input }) => act('start')(input)),
      restart: base.processes.restart.handler(({ input }) => act('restart')(input)),
      freeze: base.processes.freeze.handler(({ input }) => act('freeze')(input)),
      thaw: base.processes.thaw.handler(({ input }) => act('thaw')(input)),
      cutOff: base.processes.cutOff.handler(async ({ input }) => {
        const { session, watcher } = of(input);
        const status = await cutOffProcess(controlOf(session), input);
        session.changed([{ kind: 'processes', ids: [input.processId] }]);
        watcher.lookNow();
        return status;
      }),
      kill: base.processes.kill.handler(({ input }) => act('kill')(input)),
    },
    zookeeper: {
      children: base.zookeeper.children.handler(({ input }) => znodeChildren(sessionOf(input), input)),
      node: base.zookeeper.node.handler(({ input }) => znode(sessionOf(input), input)),
      sessions: base.zookeeper.sessions.handler(({ input }) => zooKeeperSessions(sessionOf(input))),
      session: base.zookeeper.session.handler(({ input }) => zooKeeperSession(sessionOf(input), input.session)),
      watches: base.zookeeper.watches.handler(({ input }) => zooKeeperWatches(sessionOf(input), input.prefix)),
    },
    controller: { get: base.controller.get.handler(({ input }) => getController(sessionOf(input))) },
    brokers: {
      list: base.brokers.list.handler(({ input }) => listBrokers(sessionOf(input))),
      sizes: base.brokers.sizes.handler(({ input }) => brokerSizes(sessionOf(input))),
      get: base.brokers.get.handler(({ input }) => getBroker(sessionOf(input), input.brokerId)),
      partitions: base.brokers.partitions.handler(({ input }) => brokerPartitions(sessionOf(input), input.brokerId)),
      replicas: base.brokers.replicas.handler(({ input }) => brokerReplicas(sessionOf(input), input.brokerId)),
      moveReplicas: base.brokers.moveReplicas.handler(({ input }) => moveReplicas(sessionOf(input), input.brokerId, input.moves)),
      throttleMoves: base.brokers.throttleMoves.handler(({ input }) =>
        throttleMoves(sessionOf(input), input.brokerId, input.bytesPerSecond),
      ),
      configs: base.brokers.configs.handler(({ input }) => brokerConfigs(sessionOf(input), input.brokerId)),
      alterConfigs: base.brokers.alterConfigs.handler(({ input }) =>
        then(input, (session) => alterBrokerConfigs(session, input.brokerId, input.changes, input.validateOnly)),
      ),
    },
    topics: {
      open: base.topics.open.handler(async ({ input, context }) => {
        const { includeInternal, filter, sort } = input;
        const { rows, total, asOfMs } = await listTopicRows(sessionOf(input), { includeInternal, filter, sort });
        return { readerId: context.readers.add(new TopicListReader(rows)), count: rows.length, total, asOfMs };
      }),
      next: base.topics.next.handler(({ input, context }) => context.readers.get(input.readerId, TopicListReader).next(input.max)),
      close: base.topics.close.handler(({ input, context }) => closeReader(context, input)),
      rows: base.topics.rows.handler(({ input }) => topicRows(sessionOf(input), input.names)),
      details: base.topics.details.handler(({ input }) => topicDetails(sessionOf(input), input.names)),
      get: base.topics.get.handler(({ input }) => getTopic(sessionOf(input), input.topic)),
      groups: base.topics.groups.handler(({ input }) => topicGroups(sessionOf(input), input.topic)),
      impact: base.topics.impact.handler(({ input }) => topicImpact(sessionOf(input), input.names)),
      configs: base.topics.configs.handler(({ input }) => topicConfigs(sessionOf(input), input.topic)),
      configCatalog: base.topics.configCatalog.handler(() => topicConfigCatalog),
      create: base.topics.create.handler(({ input: { clusterId, ...topic } }) =>
        then({ clusterId }, (session) => createTopic(session, { ...topic, assignment: topic.assignment })),
      ),
      createPartitions: base.topics.createPartitions.handler(({ input }) =>
        then(input, (session) => createPartitions(session, input.topic, input.count, input.validateOnly)),
      ),
      alterConfigs: base.topics.alterConfigs.handler(({ input }) =>
        then(input, (session) => alterTopicConfigs(session, input.topic, input.changes, input.validateOnly)),
      ),
      delete: base.topics.delete.handler(({ input }) => then(input, (session) => deleteTopics(session, input.names))),
    },
    partitions: {
      electPreferred: base.partitions.electPreferred.handler(({ input }) =>
        then(input, (session) => electPartitionLeaders(session, 'preferred', input.topic, input.partitions)),
      ),
      electUnclean: base.partitions.electUnclean.handler(({ input }) =>
        then(input, (session) => electPartitionLeaders(session, 'unclean', input.topic, input.partitions)),
      ),
      plan: base.partitions.plan.handler(({ input }) => planMoves(sessionOf(input), input)),
      reassign: base.partitions.reassign.handler(({ input }) =>
        then(input, (session) => reassignPartitions(session, input.topic, input.moves, input.throttleBytesPerSecond)),
      ),
      cancelReassignment: base.partitions.cancelReassignment.handler(({ input }) =>
        then(input, (session) => cancelReassignments(session, input.topic, input.partitions)),
      ),
      reassignments: base.partitions.reassignments.handler(({ input }) => topicReassignments(sessionOf(input), input.topic)),
      throttle: base.partitions.throttle.handler(({ input }) => getThrottle(sessionOf(input), input.topic)),
      setThrottle: base.partitions.setThrottle.handler(({ input }) =>
        then(input, (session) => setThrottle(session, input.topic, input.bytesPerSecond)),
      ),
      replication: base.partitions.replication.handler(({ input }) => getReplication(sessionOf(input), input.topic, input)),
    },
    groups: {
      open: base.groups.open.handler(async ({ input, context }) => {
        const { rows, total, asOfMs, failures } = await listGroupRows(sessionOf(input), { filter: input.filter, sort: input.sort });
        return { readerId: context.readers.add(new GroupListReader(rows)), count: rows.length, total, asOfMs, failures };
      }),
      next: base.groups.next.handler(({ input, context }) => context.readers.get(input.readerId, GroupListReader).next(input.max)),
      close: base.groups.close.handler(({ input, context }) => closeReader(context, input)),
      rows: base.groups.rows.handler(({ input }) => groupRows(sessionOf(input), input.groupIds)),
      details: base.groups.details.handler(({ input }) => groupDetails(sessionOf(input), input.groupIds)),
      get: base.groups.get.handler(({ input }) => getGroup(sessionOf(input), input.groupId)),
      delete: base.groups.delete.handler(({ input }) => then(input, (session) => deleteGroups(session, input.groupIds))),
    },
    messages: {
      open: base.messages.open.handler(async ({ input, context }) => {
        const { session, source } = of(input);
        const { reader, partitions } = await openRead(session, source, { ...input, partitions: input.partitions });
        return { readerId: context.readers.add(reader), partitions };
      }),
      next: base.messages.next.handler(({ input, context }) =>
        context.readers.get(input.readerId, MessageReader).next(input.max, input.waitMs),
      ),
      close: base.messages.close.handler(({ input, context }) => closeReader(context, input)),
      bytes: base.messages.bytes.handler(({ input, context }) => {
        const { session, source } = of(input);
        return context.payloads.piece(session, source, input, input.position, input.length);
      }),
    },
    segments: {
      replicas: base.segments.replicas.handler(({ input }) => replicaFolders(sessionOf(input), input.topic)),
      contents: base.segments.contents.handler(({ input }) => replicaContents(sessionOf(input), input)),
      batches: base.segments.batches.handler(({ input }) => segmentBatches(sessionOf(input), input)),
      records: base.segments.records.handler(({ input }) => batchRecords(sessionOf(input), input)),
      file: base.segments.file.handler(({ input }) => segmentFile(sessionOf(input), input)),
      lookup: base.segments.lookup.handler(({ input }) => segmentLookup(sessionOf(input), input)),
    },
    retention: {
      replica: base.retention.replica.handler(({ input: { brokerId, topic, partition, ...input } }) =>
        askBroker(sessionOf(input), brokerId, 'log.retention', { topic, partition }),
      ),
    },
    flushLab: {
      state: base.flushLab.state.handler(({ input }) => flushLabState(sessionOf(input), input.topic)),
      settings: base.flushLab.settings.handler(({ input }) => flushSettings(sessionOf(input), input.topic)),
      set: base.flushLab.set.handler(({ input }) => then(input, (session) => setFlushSetting(session, input.topic, input.setting))),
      losePower: base.flushLab.losePower.handler(({ input }) => then(input, (session) => losePower(session, input.brokerId))),
      startLoad: base.flushLab.startLoad.handler(({ input }) => startLoad(sessionOf(input), input)),
      stopLoad: base.flushLab.stopLoad.handler(({ input }) => stopLoad(sessionOf(input), input.topic)),
    },
    live: {
      changes: base.live.changes.handler(({ input, signal }) => sessionOf(input).hub.subscribe([{ kind: 'cluster', ids: null }], signal)),
      timeline: base.live.timeline.handler(({ input }) => sessionOf(input).timeline.page(input.after, input.max)),
    },
  });
}

function closeReader(context: ConnectionContext, { readerId }: { readonly readerId: string }): null {
  context.readers.close(readerId);
  return null;
}

function controlOf(session: ClusterSession): ClusterControl {
  if (session.control === undefined) throw refuse('refused', 'Only the processes of a local cluster can be seen and controlled');
  return session.control;
}

/** The one place that knows Read-only: a procedure that writes or destroys doesn't reach its service. */
export function enforceEffect(directory: ClusterDirectory, meta: ProcedureMeta, input: unknown): void {
  if (meta.effect === 'read' || meta.effect === 'manage') return;
  const clusterId = typeof input === 'object' && input !== null && 'clusterId' in input ? input.clusterId : undefined;
  if (typeof clusterId !== 'string') throw refuse('invalid', 'A change must name its cluster');
  const { session } = directory.get(clusterId);
  if (session.options.readOnly) throw refuse('refused', `${session.name} is read-only: changes are refused`);
}

function asContractError(error: unknown, path: readonly string[], logger: Logger): ORPCError<string, unknown> {
  // oRPC's own: an input that the schema refuses, an output that is not what was promised.
  if (error instanceof ORPCError) return error;
  if (!(error instanceof FailureError)) {
    const failure = toFailure(error);
    if (failure.kind === 'internal')
      logger.error({ err: error, procedure: path.join('.') }, 'a procedure failed in a way that was not foreseen');
    return new ORPCError('FAILURE', { status: 500, message: failure.message, data: failure });
  }
  return new ORPCError('FAILURE', { status: 500, message: error.failure.message, data: error.failure });
}
