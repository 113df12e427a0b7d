/**
 * Makes a schedule from a seed: a cluster, its load, and some faults and deeds, none of them before the cluster has formed. A part of the
 * seeds has a focus: circumstances in which a certain kind of mistake shows, which would seldom come together by chance.
 */
import { crc32 } from 'node:zlib';
import type { Random } from '../../src/runtime/random.ts';
import { SeededRandom } from '../../src/runtime/testing/seeded-random.ts';
import { CLIENTS_START_MS, type GroupSpec, type ProducerSpec, type Schedule, type Step, type TopicSpec } from './schedule.ts';

const FAULTS_END_MS = 45_000;
const FIRST_STEP_MS = CLIENTS_START_MS + 1500;
const CODECS = ['none', 'none', 'none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

/**
 * - `unclean`: a topic with unclean elections; leaders come and go before their followers have followed
 * - `failover`: followers that are slow to catch up while leaders fail in a row
 * - `rejoin`: a follower comes back behind, while the leader and its successor fail
 * - `bounce`: brokers that are away for a moment while the controller or ZooKeeper is slow to look
 * - `storage`: records are deleted, log dirs fail, logs move between them
 * - `groups`: two consumer groups, whose members freeze and are cut off while brokers fail
 * - `zookeeper`: it is killed and loses power again and again, on a slow disk that is full at times, while controllers fail and have much to write
 */
export type Focus = 'any' | 'unclean' | 'failover' | 'rejoin' | 'bounce' | 'storage' | 'groups' | 'zookeeper';
const FOCI: readonly Focus[] = ['unclean', 'failover', 'rejoin', 'bounce', 'storage', 'groups', 'zookeeper'];
/** Half of the seeds have none. */
const ANY: readonly Focus[] = Array.from(FOCI, () => 'any');

export function makeSchedule(seed: number, wantedFocus?: Focus): Schedule {
  // A stream for each part: one part's change leaves the others as they were.
  const stream = (part: string): Random => new SeededRandom(seed ^ crc32(`schedule ${part}`));
  const choices = stream('cluster');
  const focus = wantedFocus ?? pick(choices, [...ANY, ...FOCI]);
  const isBroad = focus === 'any' || focus === 'storage' || focus === 'groups';
  const isZooKeepers = focus === 'zookeeper';
  const brokers = isBroad ? pick(choices, [3, 3, 3, 3, 4, 5]) : 3;
  const consumers = 1 + choices.int(2);
  const machines = Array.from({ length: brokers }, (_, index) => `broker${index + 1}`);
  const topics = focus === 'unclean' ? [UNCLEAN_TOPIC] : makeTopics(stream('topics'));
  const steps = isBroad ? makeFaults(stream('faults'), machines) : makeFocusedFaults(stream('faults'), machines, focus);
  steps.push(...makeDeeds(stream('deeds'), topics, brokers));
  if (isZooKeepers) steps.push(...makeBusyAdministration(stream('administration'), topics, brokers));
  const properties = makeProperties(stream('properties'), focus === 'failover' || focus === 'rejoin');
  const groups = makeGroups(stream('groups'), topics, focus);
  if (isBroad) {
    steps.push(...makeMemberFaults(stream('members'), groups, machines, focus === 'groups' ? 8 : 2));
    const deletions = makeDeletions(stream('deletions'), topics, focus === 'storage');
    steps.push(...deletions);
    if (deletions.length > 0) Object.assign(properties, EAGER_RETENTION);
    const logDirs = makeLogDirDeeds(stream('log dirs'), topics, machines, focus === 'storage');
    steps.push(...logDirs);
    if (logDirs.length > 0) properties['log.dirs'] = LOG_DIRS.join(',');
  }
  steps.sort((a, b) => a.atMs - b.atMs);
  const producers = makeFar(stream('distances'), makeProducers(stream('producers'), topics));
  // The log grows while nothing is committed, so that catching up takes a follower several fetches.
  if (focus === 'rejoin') producers.push({ ...STEADY_PRODUCER, topic: topics[0]?.name ?? '' });
  // Last, so that nothing else is done to it.
  if (isBroad && stream('compaction').int(3) === 0) {
    topics.push(COMPACTED_TOPIC);
    producers.push(COMPACTED_PRODUCER);
  }
  return {
    seed,
    note: `focus: ${focus}`,
    brokers,
    faultsEndMs: FAULTS_END_MS,
    properties,
    ...(isZooKeepers ? { snapCount: 2 + stream('snapshots').int(60) } : {}),
    topics,
    producers,
    consumers,
    groups,
    steps,
  };
}

const UNCLEAN_TOPIC: TopicSpec = {
  name: 'clicks',
  partitions: 2,
  replicationFactor: 3,
  configs: { 'min.insync.replicas': '1', 'unclean.leader.election.enable': 'true' },
};

const LOG_DIRS = ['/data1', '/data2'] as const;
/** Segments are deleted within seconds after the policy allows it. */
const EAGER_RETENTION: Readonly<Record<string, string>> = {
  'log.initial.task.delay.ms': '2000',
  'log.retention.check.interval.ms': '1500',
  'log.segment.delete.delay.ms': '1000',
};

/** Compacted several times within a minute. */
const COMPACTED_TOPIC: TopicSpec = {
  name: 'accounts',
  partitions: 1,
  replicationFactor: 3,
  configs: { 'min.insync.replicas': '2', 'cleanup.policy': 'compact', 'segment.bytes': '8192', 'min.cleanable.dirty.ratio': '0.1' },
};
const COMPACTED_PRODUCER: ProducerSpec = {
  topic: COMPACTED_TOPIC.name,
  acks: -1,
  isIdempotent: true,
  codec: 'none',
  intervalMs: 150,
  pipeline: 2,
  maxRecords: 10,
  keys: 40,
};

const STEADY_PRODUCER = { acks: 1, isIdempotent: false, codec: 'none', intervalMs: 60, pipeline: 4, maxRecords: 4 } as const;

function makeFaults(random: Random, machines: readonly string[]): Step[] {
  const steps: Step[] = [];
  let atMs = timeOf(random);
  for (let count = 3 + random.int(10); count > 0; count--) {
    steps.push(makeFault(random, machines, atMs));
    // Often one misfortune follows at the heels of another.
    atMs = random.int(5) < 2 ? Math.min(FAULTS_END_MS - 500, atMs + random.int(pick(random, [20, 300, 1500]))) : timeOf(random);
  }
  return steps;
}

/** Some episodes of a few faults each, close together. */
function makeFocusedFaults(random: Random, machines: readonly string[], focus: Focus): Step[] {
  const steps: Step[] = [];
  for (let atMs = FIRST_STEP_MS + random.int(2000); atMs < FAULTS_END_MS - 7000; atMs += 5000 + random.int(5000)) {
    const [first = '', second = '', third = ''] = shuffled(random, machines);
    const soonMs = atMs + random.int(pick(random, [30, 400, 3000]));
    const laterMs = soonMs + random.int(pick(random, [30, 300, 2500]));
    const briefMs = 30 + random.int(800);
    if (focus === 'bounce') {
      const victim = random.int(2) === 0 ? 'zookeeper' : second;
      steps.push(
        random.int(2) === 0
          ? {
              atMs,
              kind: 'slow-link',
              from: victim,
              to: victim === 'zookeeper' ? second : 'zookeeper',
              byMs: 200 + random.int(800),
              forMs: 4000,
            }
          : { atMs, kind: 'pause', machine: second, forMs: 300 + random.int(2000) },
        { atMs: soonMs, kind: 'kill', machine: first, forMs: briefMs },
      );
      if (random.int(2) === 0) steps.push({ atMs: laterMs, kind: 'kill', machine: third, forMs: briefMs });
    } else if (focus === 'zookeeper') {
      steps.push(...makeZooKeeperFaults(random, atMs, first, second));
    } else if (focus === 'unclean') {
      steps.push(...makeUncleanElection(random, atMs, [first, second, third]));
      atMs += 4000;
    } else if (focus === 'rejoin') {
      steps.push(...makeRejoin(random, atMs, [first, second, third]));
      atMs += 9000;
    } else {
      // The third lags behind; the first fails, and then the second, who has just taken over.
      steps.push(
        random.int(2) === 0
          ? { atMs, kind: 'slow-link', from: third, to: second, byMs: 100 + random.int(1500), forMs: 6000 }
          : { atMs, kind: 'partition', from: [second], to: [third], isOneWay: random.int(2) === 0, forMs: 500 + random.int(5000) },
        { atMs: soonMs, kind: pick(random, ['kill', 'kill', 'pause'] as const), machine: first, forMs: briefMs + 2500 },
        { atMs: laterMs + random.int(4000), kind: 'kill', machine: second, forMs: 500 + random.int(3000) },
      );
    }
  }
  return steps;
}

/** Two to four misfortunes in a row, most of them ZooKeeper's, and the end of a broker that may be the controller. */
function makeZooKeeperFaults(random: Random, atMs: number, first: string, second: string): Step[] {
  const machine = 'zookeeper';
  const steps: Step[] = [];
  if (random.int(2) === 0) steps.push({ atMs, kind: 'slow-disk', machine, factor: 20 + random.int(300), forMs: 3000 + random.int(3000) });
  let nextMs = atMs + random.int(400);
  for (let count = 2 + random.int(3); count > 0; count--) {
    const forMs = 100 + random.int(pick(random, [400, 2500]));
    switch (random.int(7)) {
      case 0:
      case 1:
        steps.push({ atMs: nextMs, kind: 'kill', machine, forMs });
        break;
      case 2:
      case 3:
        steps.push({ atMs: nextMs, kind: 'lose-power', machine, forMs, mode: pick(random, ['tear', 'lose'] as const) });
        break;
      case 4:
        steps.push({ atMs: nextMs, kind: pick(random, ['disk-full', 'disk-error'] as const), machine, forMs });
        break;
      case 5:
        steps.push({ atMs: nextMs, kind: 'end-session', machine: first });
        break;
      default:
        steps.push({ atMs: nextMs, kind: pick(random, ['kill', 'stop'] as const), machine: second, forMs });
    }
    nextMs += forMs + random.int(pick(random, [30, 300, 2000]));
  }
  return steps;
}

/** Topics come and go, grow and move: what a controller writes to ZooKeeper for. */
function makeBusyAdministration(random: Random, topics: readonly TopicSpec[], brokers: number): Step[] {
  const steps: Step[] = [];
  const [first] = topics;
  for (let count = 4 + random.int(6); count > 0; count--) {
    const atMs = timeOf(random);
    const topic = `passing${random.int(3)}`;
    if (first !== undefined && random.int(3) === 0) steps.push(...makeReassignments(random, first, brokers));
    else if (random.int(4) === 0) steps.push({ atMs, kind: 'elect-preferred' });
    else
      steps.push(
        { atMs, kind: 'create-topic', topic },
        { atMs: atMs + random.int(pick(random, [300, 6000])), kind: 'delete-topic', topic },
      );
  }
  return steps;
}

/**
 * The third goes; when it is out of the ISR and about to return, the others go for longer than their sessions last: it is elected, though
 * it lacks records. Sometimes it can't be followed and fails in turn, and one of the others comes back with what it had.
 */
function makeUncleanElection(random: Random, atMs: number, [first, second, third]: readonly [string, string, string]): Step[] {
  const goMs = atMs + 3200 + random.int(200);
  const steps: Step[] = [
    { atMs, kind: 'kill', machine: third, forMs: 3500 },
    { atMs: goMs, kind: 'kill', machine: first, forMs: 4200 + random.int(1500) },
    { atMs: goMs + random.int(300), kind: 'kill', machine: second, forMs: 4200 + random.int(2500) },
    // A consumer that doesn't look for a while finds a log that has been cut and has grown again.
    { atMs: goMs - random.int(1000), kind: 'pause', machine: 'consumer0', forMs: 4500 + random.int(4000) },
  ];
  if (random.int(2) === 0) {
    steps.push(
      { atMs: goMs + 3500, kind: 'partition', from: [third], to: [first, second], isOneWay: false, forMs: 5000 },
      { atMs: goMs + 4300 + random.int(1500), kind: 'kill', machine: third, forMs: 4500 },
    );
  }
  return steps;
}

/**
 * The third comes back right after an election, behind where the new leader's epoch starts and not behind its high watermark:
 * while the third is down nothing is committed, and the first fails when it has acknowledged all that (the third being out of the ISR)
 * but could not tell the second. The second leads, the third catches up in small and slow steps, and the second fails meanwhile.
 */
function makeRejoin(random: Random, atMs: number, [first, second, third]: readonly [string, string, string]): Step[] {
  // Two sessions of 3 s end, one after the other: the third's, if it hasn't been taken for slow before, and the first's.
  const firstGoesMs = atMs + 3100 + random.int(600);
  const electionMs = firstGoesMs + 3000;
  const slowMs = 300 + random.int(600);
  return [
    { atMs, kind: 'kill', machine: third, forMs: 3500 + random.int(2500) },
    { atMs: atMs + 2000 + random.int(500), kind: 'partition', from: [first], to: [second], isOneWay: true, forMs: 4000 },
    { atMs: firstGoesMs, kind: 'kill', machine: first, forMs: 7000 + random.int(2000) },
    { atMs: electionMs - 500, kind: 'slow-link', from: second, to: third, byMs: slowMs, forMs: 5000 },
    // Two or three round trips until it has joined, and as many until it has caught up.
    { atMs: electionMs + 2 * slowMs + random.int(3 * slowMs), kind: 'kill', machine: second, forMs: 4500 + random.int(2000) },
  ];
}

/** Half of the seeds have a group of one to three members. Topics with unclean elections promise a group nothing. */
function makeGroups(random: Random, topics: readonly TopicSpec[], focus: Focus): GroupSpec[] {
  const strict = topics.filter(({ configs }) => !isLoose(configs)).map(({ name }) => name);
  const count = focus === 'groups' ? 2 : random.int(2);
  if (strict.length === 0 || focus === 'rejoin') return [];
  return Array.from({ length: count }, (_, index) => ({ groupId: `group${index}`, members: 1 + random.int(3), topics: strict }));
}

/** Members freeze, for shorter or longer than their session lasts, and are cut off from brokers one way or both. */
function makeMemberFaults(random: Random, groups: readonly GroupSpec[], machines: readonly string[], atMost: number): Step[] {
  const steps: Step[] = [];
  const members = groups.flatMap(({ groupId, members: count }) => Array.from({ length: count }, (_, index) => `${groupId}-member${index}`));
  if (members.length === 0) return steps;
  for (let count = random.int(atMost + 1); count > 0; count--) {
    const [atMs, machine, forMs] = [timeOf(random), pick(random, members), 300 + random.int(6000)];
    if (random.int(2) === 0) steps.push({ atMs, kind: 'pause', machine, forMs });
    else {
      const brokers = random.int(2) === 0 ? machines : [pick(random, machines)];
      const [from, to] = random.int(2) === 0 ? [[machine], brokers] : [brokers, [machine]];
      steps.push({ atMs, kind: 'partition', from, to, isOneWay: random.int(2) === 0, forMs });
    }
  }
  return steps;
}

/** On request or by retention, in a quarter of the seeds at least. */
function makeDeletions(random: Random, topics: readonly TopicSpec[], always: boolean): Step[] {
  const strict = topics.filter(({ configs }) => !isLoose(configs));
  if (strict.length === 0 || (random.int(4) !== 0 && !always)) return [];
  const steps: Step[] = [];
  for (let count = 1 + random.int(4); count > 0; count--) {
    const { name: topic, partitions } = pick(random, strict);
    const [atMs, partition] = [timeOf(random), random.int(partitions)];
    if (random.int(3) > 0) steps.push({ atMs, kind: 'delete-records', topic, partition, share: pick(random, [0.3, 0.8, 1]) });
    else {
      steps.push(
        { atMs, kind: 'alter-config', topic, key: 'segment.bytes', value: '8192' },
        { atMs: atMs + 500, kind: 'alter-config', topic, ...makeRetention(random) },
      );
    }
  }
  return steps;
}

/** By size or by age, which goes by wall clocks that may be wrong. */
function makeRetention(random: Random): { readonly key: string; readonly value: string } {
  const byBytes = random.int(2) === 0;
  return byBytes
    ? { key: 'retention.bytes', value: `${8192 * (1 + random.int(4))}` }
    : { key: 'retention.ms', value: `${5000 + random.int(10_000)}` };
}

/** Brokers with two log dirs, of which one fails, or between which a partition moves; in a fifth of the seeds at least. */
function makeLogDirDeeds(random: Random, topics: readonly TopicSpec[], machines: readonly string[], always: boolean): Step[] {
  if (random.int(5) !== 0 && !always) return [];
  const steps: Step[] = [];
  for (let count = 1 + random.int(4); count > 0; count--) {
    const [atMs, machine, directory] = [timeOf(random), pick(random, machines), pick(random, LOG_DIRS)];
    const { name: topic, partitions } = pick(random, topics);
    if (random.int(2) === 0) steps.push({ atMs, kind: 'log-dir-error', machine, directory, forMs: 500 + random.int(8000) });
    else steps.push({ atMs, kind: 'move-log', topic, partition: random.int(partitions), machine, directory });
  }
  return steps;
}

function isLoose(configs: TopicSpec['configs']): boolean {
  return configs['unclean.leader.election.enable'] === 'true';
}

function shuffled<T>(random: Random, from: readonly T[]): T[] {
  const rest = [...from];
  return from.map(() => rest.splice(random.int(rest.length), 1)[0]).filter((item) => item !== undefined);
}

function pick<T>(random: Random, from: readonly T[]): T {
  const chosen = from[random.int(from.length)];
  if (chosen === undefined) throw new Error('nothing to pick from');
  return chosen;
}

function timeOf(random: Random): number {
  return FIRST_STEP_MS + random.int(FAULTS_END_MS - FIRST_STEP_MS - 3000);
}

function makeProperties(random: Random, catchesUpSlowly: boolean): Record<string, string> {
  const properties: Record<string, string> = {};
  // A follower catches up in many small steps.
  if (random.int(3) === 0 || catchesUpSlowly) {
    properties['replica.fetch.max.bytes'] = '1024';
    properties['replica.fetch.response.max.bytes'] = '2048';
  }
  if (random.int(4) === 0) properties['num.replica.fetchers'] = '2';
  return properties;
}

function makeTopics(random: Random): TopicSpec[] {
  const strict = { 'min.insync.replicas': '2' };
  const topics: TopicSpec[] = [
    {
      name: 'orders',
      partitions: 1 + random.int(3),
      replicationFactor: 3,
      configs: random.int(3) === 0 ? { ...strict, 'segment.bytes': '16384' } : strict,
    },
  ];
  if (random.int(2) === 0) {
    const configs = random.int(4) === 0 ? { ...strict, 'flush.messages': '1' } : strict;
    topics.push({ name: 'payments', partitions: 1 + random.int(2), replicationFactor: 3, configs });
  }
  if (random.int(3) === 0) topics.push({ ...UNCLEAN_TOPIC, partitions: 1, replicationFactor: 2 + random.int(2) });
  return topics;
}

function makeProducers(random: Random, topics: readonly TopicSpec[]): ProducerSpec[] {
  const producers: ProducerSpec[] = [];
  for (const { name, configs } of topics) {
    const loose = isLoose(configs);
    const count = 1 + random.int(2);
    for (let index = 0; index < count; index++) {
      const acks = loose ? pick(random, [1, 1, -1] as const) : pick(random, [-1, -1, -1, -1, 1, 0] as const);
      // After an unclean election an idempotent producer may find a gap that nothing fills any more.
      const isIdempotent = acks === -1 && random.int(4) !== 0 && !loose;
      producers.push({
        topic: name,
        acks: index === 0 && !loose ? -1 : acks,
        isIdempotent: (index === 0 && !loose) || isIdempotent,
        codec: pick(random, CODECS),
        intervalMs: pick(random, [60, 150, 300, 600]),
        pipeline: pick(random, [1, 2, 4]),
        maxRecords: pick(random, [1, 4, 10]),
      });
    }
  }
  return producers;
}

/** Half of the idempotent ones: batches one after another, five under way, over a long way. A broker may refuse the first and have no reason to when the second comes. */
function makeFar(random: Random, producers: readonly ProducerSpec[]): ProducerSpec[] {
  return producers.map((producer) => {
    if (!producer.isIdempotent || random.int(2) === 0) return producer;
    const distanceMs = pick(random, [20, 60, 120]);
    return { ...producer, pipeline: 5, distanceMs, gapMs: distanceMs / 4 };
  });
}

function makeFault(random: Random, machines: readonly string[], atMs: number): Step {
  const machine = pick(random, machines);
  const anyMachine = random.int(5) === 0 ? 'zookeeper' : machine;
  const other = pick(
    random,
    machines.filter((name) => name !== machine),
  );
  const shortMs = 100 + random.int(2500);
  const longMs = 500 + random.int(9000);
  switch (random.int(16)) {
    case 0:
    case 1:
    case 2:
      return { atMs, kind: 'kill', machine: anyMachine, forMs: random.int(2) === 0 ? shortMs : longMs };
    case 3:
      return { atMs, kind: 'stop', machine, forMs: longMs };
    case 4:
    case 5:
      return { atMs, kind: 'pause', machine: anyMachine, forMs: random.int(2) === 0 ? shortMs : longMs };
    case 6:
    case 7:
      return { atMs, kind: 'lose-power', machine: anyMachine, forMs: longMs, mode: pick(random, ['tear', 'lose'] as const) };
    case 8:
    case 9:
      return { atMs, kind: 'partition', ...makePartition(random, machines, machine, other), forMs: longMs };
    case 10:
      return {
        atMs,
        kind: 'slow-link',
        from: machine,
        to: random.int(3) === 0 ? 'zookeeper' : other,
        byMs: 20 + random.int(600),
        forMs: longMs,
      };
    case 11:
      return { atMs, kind: 'reset-connections', from: machine, to: random.int(3) === 0 ? 'zookeeper' : other };
    case 12:
      return { atMs, kind: 'clock-jump', machine: anyMachine, byMs: (random.int(2) === 0 ? 1 : -1) * random.int(3_600_000) };
    case 13:
      return { atMs, kind: 'slow-disk', machine: anyMachine, factor: 5 + random.int(500), forMs: longMs };
    case 14:
      return { atMs, kind: pick(random, ['disk-full', 'disk-error'] as const), machine, forMs: longMs };
    default:
      return { atMs, kind: 'end-session', machine };
  }
}

function makePartition(
  random: Random,
  machines: readonly string[],
  machine: string,
  other: string,
): { from: string[]; to: string[]; isOneWay: boolean } {
  const isOneWay = random.int(2) === 0;
  const others = machines.filter((name) => name !== machine);
  switch (random.int(4)) {
    case 0:
      return { from: [machine], to: [...others, 'zookeeper'], isOneWay };
    case 1:
      return { from: [machine], to: ['zookeeper'], isOneWay };
    case 2:
      return { from: [machine], to: others, isOneWay };
    default:
      return random.int(2) === 0 ? { from: [machine], to: [other], isOneWay } : { from: [other], to: [machine], isOneWay };
  }
}

function makeDeeds(random: Random, topics: readonly TopicSpec[], brokers: number): Step[] {
  const deeds: Step[] = [];
  const [first] = topics;
  if (first !== undefined && random.int(3) === 0)
    deeds.push({ atMs: timeOf(random), kind: 'add-partitions', topic: first.name, count: first.partitions + 1 });
  if (first !== undefined && random.int(3) === 0)
    deeds.push({ atMs: timeOf(random), kind: 'alter-config', topic: first.name, key: 'segment.bytes', value: '32768' });
  if (random.int(4) === 0) deeds.push({ atMs: timeOf(random), kind: 'elect-preferred' });
  if (first !== undefined && random.int(brokers === 3 ? 4 : 2) === 0) deeds.push(...makeReassignments(random, first, brokers));
  if (random.int(2) === 0) {
    const atMs = timeOf(random);
    deeds.push({ atMs, kind: 'create-topic', topic: 'passing' });
    if (random.int(2) === 0)
      deeds.push({ atMs: Math.min(FAULTS_END_MS - 1000, atMs + random.int(15_000)), kind: 'delete-topic', topic: 'passing' });
  }
  return deeds;
}

/** To other brokers where there are some, else in another order; sometimes cancelled soon. */
function makeReassignments(random: Random, topic: TopicSpec, brokers: number): Step[] {
  const deeds: Step[] = [];
  for (let count = 1 + random.int(2); count > 0; count--) {
    const atMs = timeOf(random);
    const partition = random.int(topic.partitions);
    const ids = Array.from({ length: brokers }, (_, index) => index + 1);
    const replicas = shuffled(random, ids).slice(0, topic.replicationFactor);
    deeds.push({ atMs, kind: 'reassign', topic: topic.name, partition, replicas });
    if (random.int(4) === 0) deeds.push({ atMs: atMs + random.int(1000), kind: 'reassign', topic: topic.name, partition, replicas: null });
  }
  return deeds;
}
