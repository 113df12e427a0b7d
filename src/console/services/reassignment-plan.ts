/**
 * Where replicas should be: as few move as possible, every target broker gets its share, and the preferred leaders are spread. Pure.
 * Unlike `kafka-reassign-partitions --generate`, which deals anew, what is on a target broker stays unless that broker has too many.
 */
export interface PlanPartition {
  readonly partition: number;
  readonly replicas: readonly number[];
}

/** The new replica lists by partition, preferred leader first. `brokers` has at least `replicationFactor` distinct ids. */
export function planReassignment(
  partitions: readonly PlanPartition[],
  brokers: readonly number[],
  replicationFactor: number,
): Map<number, readonly number[]> {
  const load = new Map(brokers.map((id) => [id, 0]));
  const add = (id: number, by: number): void => void load.set(id, (load.get(id) ?? 0) + by);
  const plan = partitions.map(({ partition, replicas }) => {
    const kept = replicas.filter((id) => load.has(id)).slice(0, replicationFactor);
    for (const id of kept) add(id, 1);
    return { partition, replicas: kept };
  });
  const leastLoaded = (among: readonly number[]): number | undefined => leastOf(among, (id) => load.get(id) ?? 0);
  for (const { replicas } of plan) {
    while (replicas.length < replicationFactor) {
      const id = leastLoaded(brokers.filter((candidate) => !replicas.includes(candidate)));
      if (id === undefined) break;
      replicas.push(id);
      add(id, 1);
    }
  }
  evenOut(plan, load);
  spreadLeaders(plan);
  return new Map(plan.map(({ partition, replicas }) => [partition, replicas]));
}

interface Draft {
  readonly partition: number;
  readonly replicas: number[];
}

/** While one broker has two more than another, one of its replicas moves there. Each move lowers the sum of squares: it ends. */
function evenOut(plan: readonly Draft[], load: Map<number, number>): void {
  for (;;) {
    const byLoad = [...load].toSorted((a, b) => b[1] - a[1]);
    const move = byLoad.flatMap(([from, most]) =>
      byLoad.flatMap(([to, least]) => {
        const draft = most - least < 2 ? undefined : plan.find(({ replicas }) => replicas.includes(from) && !replicas.includes(to));
        return draft === undefined ? [] : [{ draft, from, to }];
      }),
    )[0];
    if (move === undefined) return;
    move.draft.replicas[move.draft.replicas.indexOf(move.from)] = move.to;
    load.set(move.from, (load.get(move.from) ?? 0) - 1);
    load.set(move.to, (load.get(move.to) ?? 0) + 1);
  }
}

/** Whoever is first leads. The one that is first stays so while it leads no more than another replica would. */
function spreadLeaders(plan: readonly Draft[]): void {
  const leads = new Map<number, number>();
  for (const { replicas } of plan) {
    const leader = leastOf(replicas, (id) => leads.get(id) ?? 0);
    if (leader === undefined) continue;
    leads.set(leader, (leads.get(leader) ?? 0) + 1);
    replicas.splice(replicas.indexOf(leader), 1);
    replicas.unshift(leader);
  }
}

/** The first of those with the smallest value. */
function leastOf(ids: readonly number[], valueOf: (id: number) => number): number | undefined {
  let least: number | undefined;
  for (const id of ids) if (least === undefined || valueOf(id) < valueOf(least)) least = id;
  return least;
}
