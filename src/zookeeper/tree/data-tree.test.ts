import { describe, expect, it } from 'vitest';
import { EventType, KeeperCode, OpCode } from '../jute/constants.ts';
import { NO_OWNER, OPEN_ACL_UNSAFE } from '../jute/records.ts';
import type { Txn } from '../txn.ts';
import { DataTree, type TxnResult } from './data-tree.ts';
import { CONTAINER_OWNER, ttlOwner } from './ephemeral-type.ts';
import type { Watcher } from './watch-manager.ts';

const SESSION = '0100000000000001';

class Recorder implements Watcher {
  readonly events: string[] = [];
  process(type: EventType, path: string): void {
    const name = Object.entries(EventType).find(([, value]) => value === type)?.[0] ?? '';
    this.events.push(`${name} ${path}`);
  }
}

class Fixture {
  readonly tree = new DataTree<Recorder>({ extendedTypesEnabled: true });
  zxid = 0;

  apply(txn: Txn, zxid = ++this.zxid): TxnResult {
    return this.tree.processTxn({ clientId: SESSION, cxid: 1, zxid, time: 1000 + zxid, type: txn.type }, txn);
  }
  create(path: string, parentCVersion: number, options: { ephemeral?: boolean; data?: Buffer | null } = {}): TxnResult {
    return this.apply({
      type: OpCode.create,
      path,
      data: options.data ?? null,
      acl: OPEN_ACL_UNSAFE,
      ephemeral: options.ephemeral ?? false,
      parentCVersion,
    });
  }
  delete(path: string): TxnResult {
    return this.apply({ type: OpCode.delete, path });
  }
  stat(path: string): ReturnType<DataTree['statOf']> {
    const node = this.tree.getNode(path);
    if (node === undefined) throw new Error(`no ${path}`);
    return this.tree.statOf(node);
  }
}

describe('DataTree', () => {
  it('begins with the nodes of a fresh ZooKeeper, which counts the root twice', () => {
    const { tree } = new Fixture();
    expect(['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config'].every((path) => tree.getNode(path) !== undefined)).toBe(true);
    expect(tree.nodeCount).toBe(5);
  });

  it('shows as cversion the creations and deletions, and keeps counting creations', () => {
    const fixture = new Fixture();
    fixture.create('/a', 1);
    fixture.create('/a/x', 1);
    fixture.create('/a/y', 2);
    fixture.delete('/a/x');
    fixture.delete('/a/y');
    expect(fixture.stat('/a')).toMatchObject({ cversion: 4, numChildren: 0, pzxid: 5, czxid: 1, mzxid: 1, version: 0 });
    expect(fixture.tree.getNode('/a')?.cversion).toBe(2);
  });

  it('takes version, time and zxid of a setData from its transaction', () => {
    const fixture = new Fixture();
    fixture.create('/a', 1);
    const { stat } = fixture.apply({ type: OpCode.setData, path: '/a', data: Buffer.from('abc'), version: 7 });
    expect(stat).toMatchObject({ version: 7, mzxid: 2, mtime: 1002, ctime: 1001, dataLength: 3 });
  });

  it('owns ephemeral nodes by session and deletes them with it', () => {
    const fixture = new Fixture();
    fixture.create('/a', 1);
    fixture.create('/a/e', 1, { ephemeral: true });
    expect(fixture.stat('/a/e').ephemeralOwner).toBe(SESSION);
    expect(Array.from(fixture.tree.ephemeralsOf(SESSION))).toEqual(['/a/e']);
    fixture.apply({ type: OpCode.closeSession, paths2Delete: ['/a/e'] });
    expect(fixture.tree.getNode('/a/e')).toBeUndefined();
    expect(fixture.tree.ephemeralCount).toBe(0);
    expect(fixture.stat('/a').pzxid).toBe(3);
  });

  it('shows no owner of containers and TTL nodes, and knows them', () => {
    const fixture = new Fixture();
    fixture.apply({ type: OpCode.createContainer, path: '/c', data: null, acl: OPEN_ACL_UNSAFE, parentCVersion: 1 });
    fixture.apply({ type: OpCode.createTTL, path: '/t', data: null, acl: OPEN_ACL_UNSAFE, parentCVersion: 2, ttl: 5000 });
    expect([fixture.stat('/c').ephemeralOwner, fixture.stat('/t').ephemeralOwner]).toEqual([NO_OWNER, NO_OWNER]);
    expect(fixture.tree.getNode('/c')?.ephemeralOwner).toBe(CONTAINER_OWNER);
    expect(fixture.tree.getNode('/t')?.ephemeralOwner).toBe(ttlOwner(5000));
    expect([Array.from(fixture.tree.containers), Array.from(fixture.tree.ttlNodes)]).toEqual([['/c'], ['/t']]);
    fixture.delete('/c');
    fixture.delete('/t');
    expect(fixture.tree.containers.size + fixture.tree.ttlNodes.size).toBe(0);
  });

  it('applies nothing of a multi with an error in it', () => {
    const fixture = new Fixture();
    const result = fixture.apply({
      type: OpCode.multi,
      txns: [
        { type: OpCode.create, path: '/a', data: null, acl: OPEN_ACL_UNSAFE, ephemeral: false, parentCVersion: 1 },
        { type: OpCode.error, err: KeeperCode.NoNode },
        { type: OpCode.error, err: KeeperCode.RuntimeInconsistency },
      ],
    });
    expect(fixture.tree.getNode('/a')).toBeUndefined();
    expect(result.multi?.map(({ err }) => err)).toEqual([0, KeeperCode.NoNode, KeeperCode.RuntimeInconsistency]);
    expect(fixture.tree.lastProcessedZxid).toBe(1);
  });

  it('gives each setData of a multi the stat it had then', () => {
    const fixture = new Fixture();
    fixture.create('/a', 1);
    const set = (data: string, version: number) => ({ type: OpCode.setData, path: '/a', data: Buffer.from(data), version });
    const result = fixture.apply({ type: OpCode.multi, txns: [set('1', 1), set('22', 2)] });
    expect(result.multi?.map(({ stat }) => [stat?.version, stat?.dataLength])).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });

  it('gives the same tree when a log is replayed over a snapshot that had some of it', () => {
    const fixture = new Fixture();
    fixture.create('/a', 1);
    fixture.create('/a/x', 1);
    fixture.create('/a/y', 2);
    fixture.delete('/a/x');
    const before = [fixture.stat('/'), fixture.stat('/a'), fixture.stat('/a/y')];
    fixture.zxid = 0;
    expect(fixture.create('/a', 1).err).toBe(KeeperCode.NodeExists);
    fixture.create('/a/x', 1);
    expect(fixture.create('/a/y', 2).err).toBe(KeeperCode.NodeExists);
    fixture.delete('/a/x');
    expect([fixture.stat('/'), fixture.stat('/a'), fixture.stat('/a/y')]).toEqual(before);
  });

  it('does not hold on to the chunk that data came in', () => {
    const fixture = new Fixture();
    const chunk = Buffer.alloc(64 * 1024, 1);
    fixture.create('/a', 1, { data: chunk.subarray(100, 110) });
    expect(fixture.tree.getNode('/a')?.data?.buffer.byteLength).toBe(10);
  });

  it('counts the size of paths and data, and forgets it with the node', () => {
    const fixture = new Fixture();
    const empty = fixture.tree.approximateDataSizeBytes;
    fixture.create('/abc', 1, { data: Buffer.alloc(100) });
    fixture.apply({ type: OpCode.setData, path: '/abc', data: Buffer.alloc(10), version: 1 });
    expect(fixture.tree.approximateDataSizeBytes - empty).toBe(14);
    fixture.delete('/abc');
    expect(fixture.tree.approximateDataSizeBytes).toBe(empty);
  });

  it('tells of each change that leaves a soft limit exceeded, and of none below it', () => {
    const fixture = new Fixture();
    const told: string[] = [];
    fixture.tree.observer = {
      onQuotaExceeded: ({ target, what, use, limit }) => told.push(`${target} ${what} ${use}/${limit}`),
      onWatchesFired: () => undefined,
      onWritten: () => undefined,
      onRead: () => undefined,
    };
    fixture.create('/q', 1);
    fixture.create('/zookeeper/quota/q', 1);
    fixture.create('/zookeeper/quota/q/zookeeper_limits', 1, { data: Buffer.from('count=2,bytes=4') });
    fixture.create('/zookeeper/quota/q/zookeeper_stats', 2, { data: Buffer.from('count=0,bytes=0') });
    fixture.create('/q/a', 1, { data: Buffer.from('1234') });
    expect(told).toEqual([]);
    fixture.create('/q/b', 2, { data: Buffer.from('5') });
    expect(told.splice(0)).toEqual(['/q nodes 3/2', '/q bytes 5/4']);
    fixture.delete('/q/a');
    expect(told).toEqual([]);
  });

  it('keeps the use of a limited path up to date', () => {
    const fixture = new Fixture();
    const use = (): string | undefined => fixture.tree.getNode('/zookeeper/quota/q/zookeeper_stats')?.data?.toString();
    fixture.create('/q', 1, { data: Buffer.alloc(5) });
    fixture.create('/zookeeper/quota/q', 1);
    fixture.create('/zookeeper/quota/q/zookeeper_limits', 1, { data: Buffer.from('count=5,bytes=100') });
    fixture.create('/zookeeper/quota/q/zookeeper_stats', 2, { data: Buffer.from('count=0,bytes=0') });
    expect(use()).toBe('count=1,bytes=5');
    fixture.create('/q/x', 1, { data: Buffer.alloc(7) });
    fixture.create('/qq', 3, { data: Buffer.alloc(7) });
    expect(use()).toBe('count=2,bytes=12');
    fixture.delete('/q/x');
    expect(use()).toBe('count=1,bytes=5');
    expect(fixture.tree.quotaTargetOf('/q/deep/er')).toBe('/q');
    expect(fixture.tree.quotaTargetOf('/qq')).toBeUndefined();
  });
});

describe('watches', () => {
  it('fire once, for what they were set on', () => {
    const fixture = new Fixture();
    const [data, child] = [new Recorder(), new Recorder()];
    fixture.create('/a', 1);
    fixture.tree.dataWatches.add('/a', data);
    fixture.tree.dataWatches.add('/a/x', data);
    fixture.tree.childWatches.add('/a', child);
    fixture.create('/a/x', 1);
    fixture.create('/a/y', 2);
    fixture.apply({ type: OpCode.setData, path: '/a', data: null, version: 1 });
    fixture.apply({ type: OpCode.setData, path: '/a', data: null, version: 2 });
    expect(data.events).toEqual(['NodeCreated /a/x', 'NodeDataChanged /a']);
    expect(child.events).toEqual(['NodeChildrenChanged /a']);
    expect(fixture.tree.dataWatches.watchCount + fixture.tree.childWatches.watchCount).toBe(0);
  });

  it('tell who watches both data and children of a deletion once', () => {
    const fixture = new Fixture();
    const [both, parent] = [new Recorder(), new Recorder()];
    fixture.create('/a', 1);
    fixture.tree.dataWatches.add('/a', both);
    fixture.tree.childWatches.add('/a', both);
    fixture.tree.childWatches.add('/', parent);
    fixture.delete('/a');
    expect(both.events).toEqual(['NodeDeleted /a']);
    expect(parent.events).toEqual(['NodeChildrenChanged /']);
    expect(fixture.tree.childWatches.contains('/a', both)).toBe(false);
  });

  it('stay when persistent, and hear of all below and not of children when recursive', () => {
    const fixture = new Fixture();
    const [persistent, recursive] = [new Recorder(), new Recorder()];
    fixture.tree.addWatch('/a', persistent, 'persistent');
    fixture.tree.addWatch('/a', recursive, 'recursive');
    fixture.create('/a', 1);
    fixture.create('/a/x', 1);
    fixture.apply({ type: OpCode.setData, path: '/a', data: null, version: 1 });
    fixture.apply({ type: OpCode.setData, path: '/a/x', data: null, version: 1 });
    fixture.create('/ab', 2);
    fixture.delete('/a/x');
    expect(persistent.events).toEqual(['NodeCreated /a', 'NodeChildrenChanged /a', 'NodeDataChanged /a', 'NodeChildrenChanged /a']);
    expect(recursive.events).toEqual([
      'NodeCreated /a',
      'NodeCreated /a/x',
      'NodeDataChanged /a',
      'NodeDataChanged /a/x',
      'NodeDeleted /a/x',
    ]);
    expect(fixture.tree.dataWatches.contains('/a/deep/er', recursive)).toBe(true);
    expect(fixture.tree.dataWatches.contains('/a/deep/er', persistent)).toBe(false);
  });

  it('go with their connection', () => {
    const fixture = new Fixture();
    const gone = new Recorder();
    fixture.tree.dataWatches.add('/a', gone);
    fixture.tree.addWatch('/', gone, 'recursive');
    fixture.tree.removeWatcher(gone);
    fixture.create('/a', 1);
    expect(gone.events).toEqual([]);
    expect(fixture.tree.dataWatches.pathCount + fixture.tree.childWatches.pathCount + fixture.tree.dataWatches.watcherCount).toBe(0);
  });
});
