import { expect, it } from 'vitest';
import { ManualTime } from '../../runtime/testing/manual-time.ts';
import { CreateMode, OpCode } from '../jute/constants.ts';
import { NO_OWNER, OPEN_ACL_UNSAFE } from '../jute/records.ts';
import { SessionTracker } from '../session-tracker.ts';
import { DataTree } from '../tree/data-tree.ts';
import type { TxnLogEntry } from '../txn.ts';
import { RequestPreparer, type WriteRequest } from './prepare.ts';

const [ONE, OTHER] = ['0100000000000001', '0100000000000002'] as const;

function setUp() {
  const time = new ManualTime();
  const tree = new DataTree({ extendedTypesEnabled: true });
  const tracker = new SessionTracker(
    { clock: time, scheduler: time },
    { tickTimeMs: 1000, restored: new Map(), onExpired: () => undefined },
  );
  for (const session of [ONE, OTHER]) tracker.track(session, 10_000);
  const preparer = new RequestPreparer(tree, tracker, time, { extendedTypesEnabled: true, enforceQuota: false });
  const prepare = (sessionId: string, write: WriteRequest): TxnLogEntry => preparer.prepare(write, { sessionId, xid: 1, authInfo: [] });
  const apply = ({ header, txn }: TxnLogEntry): void => {
    tree.processTxn(header, txn);
    preparer.changes.applied(header.zxid);
  };
  return { tree, preparer, prepare, apply };
}

const created = { type: OpCode.create2, data: null, acl: OPEN_ACL_UNSAFE, mode: CreateMode.PERSISTENT, ttl: -1 } as const;

it('a session that closes owns no more what is being deleted and made again by another', () => {
  const { tree, preparer, prepare, apply } = setUp();
  const create: WriteRequest = { ...created, path: '/controller', mode: CreateMode.EPHEMERAL };
  apply(prepare(ONE, create));
  const inFlight = [prepare(OTHER, { type: OpCode.delete, path: '/controller', version: -1 }), prepare(OTHER, create)];
  expect([preparer.changes.ephemeralsOf(ONE), preparer.changes.ephemeralsOf(OTHER)]).toEqual([[], ['/controller']]);
  inFlight.push(prepare(ONE, { type: OpCode.closeSession }));
  for (const entry of inFlight) apply(entry);
  expect(tree.getNode('/controller')?.ephemeralOwner).toBe(OTHER);
});

it.each(['container', 'TTL'])('the end of an empty %s node does not take a plain one that is being made in its place', (kind) => {
  const { tree, prepare, apply } = setUp();
  const first: WriteRequest =
    kind === 'container'
      ? { ...created, type: OpCode.createContainer, mode: CreateMode.CONTAINER, path: '/n' }
      : { ...created, type: OpCode.createTTL, mode: CreateMode.PERSISTENT_WITH_TTL, ttl: 1, path: '/n' };
  apply(prepare(ONE, first));
  const inFlight = [prepare(OTHER, { type: OpCode.delete, path: '/n', version: -1 }), prepare(OTHER, { ...created, path: '/n' })];
  inFlight.push(prepare(ONE, { type: OpCode.deleteContainer, path: '/n' }));
  for (const entry of inFlight) apply(entry);
  expect(tree.getNode('/n')?.ephemeralOwner).toBe(NO_OWNER);
});
