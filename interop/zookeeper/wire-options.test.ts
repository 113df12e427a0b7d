/**
 * As wire-differential, with what is off by default: TTL nodes, enforced quotas, reconfig, a super user; and requests that
 * make no sense, pipelined requests, sessions that are taken over. Zxids included: a failed write takes one there too.
 *
 * Left out: the order of several identities (a hash set's there); what 3.8.0 dies of or answers by accident (a check outside a multi, createSession from a client,
 * createTTL of a node without a TTL).
 */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/runtime/node/node-logger.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { digestId } from '../../src/zookeeper/auth.ts';
import { AddWatchMode, CreateMode, OpCode, Perms, WatcherType } from '../../src/zookeeper/jute/constants.ts';
import { finishFrame } from '../../src/zookeeper/jute/jute-writer.ts';
import { type Acl, OPEN_ACL_UNSAFE } from '../../src/zookeeper/jute/records.ts';
import { requestFrame } from '../../src/zookeeper/jute/session-records.ts';
import { ZooKeeperServer } from '../../src/zookeeper/server.ts';
import { RawSession } from '../../src/zookeeper/testing/raw-session.ts';
import { type ApacheZooKeeper, SKIPPED_WITHOUT_APACHE, apacheZooKeeperInstalled, startApacheZooKeeper } from './apache-zookeeper.ts';
import {
  type Step,
  auth,
  create,
  createOp,
  createTtl,
  digest,
  masked,
  multi,
  multiRead,
  onPath,
  setAcl,
  setData,
  text,
  transcribe,
  typed,
  versioned,
  watched,
  watches,
} from './wire-steps.ts';

/** The longest that the servers give: none ends because the machine is busy. */
const LONG_SESSION_MS = 10_000;
const SUPER = 'super:secret';
const acl = (scheme: string, id: string, perms: number = Perms.ALL): Acl => ({ perms, id: { scheme, id } });

const TTL: readonly Step[] = [
  ['a', 'create with a TTL', OpCode.createTTL, createTtl('/ttl', CreateMode.PERSISTENT_WITH_TTL, 60_000)],
  ['a', 'its stat', OpCode.exists, watched('/ttl')],
  ['a', 'sequential with a TTL', OpCode.createTTL, createTtl('/ttl/s-', CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL, 1)],
  ['a', 'the longest TTL', OpCode.createTTL, createTtl('/long', CreateMode.PERSISTENT_WITH_TTL, 2 ** 40 - 1)],
  ['a', 'a TTL too long', OpCode.createTTL, createTtl('/longer', CreateMode.PERSISTENT_WITH_TTL, 2 ** 40)],
  ['a', 'no TTL', OpCode.createTTL, createTtl('/none', CreateMode.PERSISTENT_WITH_TTL, 0)],
  ['a', 'a negative TTL', OpCode.createTTL, createTtl('/none', CreateMode.PERSISTENT_WITH_TTL, -1)],
  ['a', 'a TTL for a node without', OpCode.createTTL, createTtl('/plain', CreateMode.PERSISTENT, 1000)],
  ['a', 'TTL flags in a create', OpCode.create, create('/flags', CreateMode.PERSISTENT_WITH_TTL)],
  ['a', 'container flags in a create', OpCode.create, create('/flagged', CreateMode.CONTAINER)],
  ['a', 'its stat', OpCode.exists, watched('/flagged')],
  ['a', 'createContainer with other flags', OpCode.createContainer, create('/unflagged', CreateMode.PERSISTENT)],
  [
    'a',
    'a multi with a TTL',
    OpCode.multi,
    multi({ ...createOp('/mttl', CreateMode.PERSISTENT_WITH_TTL), type: OpCode.createTTL, ttl: 5000 } as never),
  ],
  ['a', 'reconfig where it is on', OpCode.reconfig, (body) => void body.string(null).string(null).string('x').long(-1)],
  ['a', 'sync', OpCode.sync, onPath('/')],
];

const limits = '/zookeeper/quota/q/zookeeper_limits';
const stats = '/zookeeper/quota/q/zookeeper_stats';
const QUOTAS: readonly Step[] = [
  ['a', 'create /q', OpCode.create, create('/q', 0, text('12'))],
  ['a', 'create the quota', OpCode.create, create('/zookeeper/quota/q')],
  ['a', 'create its limits', OpCode.create, create(limits, 0, text('count=2,bytes=5=;byteHardLimit=20;countHardLimit=4'))],
  ['a', 'create its use', OpCode.create, create(stats, 0, text('count=0,bytes=0'))],
  ['a', 'the use', OpCode.getData, watched(stats)],
  ['a', 'one more', OpCode.create, create('/q/a', 0, text('345'))],
  ['a', 'above the soft limit', OpCode.create, create('/q/b', 0, text('67890'))],
  ['a', 'the use', OpCode.getData, watched(stats)],
  ['a', 'larger data', OpCode.setData, setData('/q/a', text('1234567890'), -1)],
  ['a', 'too much data', OpCode.setData, setData('/q/a', text('x'.repeat(20)), -1)],
  ['a', 'too much data, and a stale version', OpCode.setData, setData('/q/a', text('x'.repeat(20)), 99)],
  ['a', 'up to the limit', OpCode.create, create('/q/c')],
  ['a', 'one too many', OpCode.create, create('/q/d')],
  ['a', 'one too many, below', OpCode.create2, create('/q/a/x')],
  ['a', 'a multi that makes room does not help', OpCode.multi, multi({ type: OpCode.delete, path: '/q/c', version: -1 }, createOp('/q/d'))],
  ['a', 'less data', OpCode.setData, setData('/q/a', null, -1)],
  ['a', 'delete one', OpCode.delete, versioned('/q/b', -1)],
  ['a', 'now there is room', OpCode.create, create('/q/d', 0, text('d'))],
  ['a', 'the use', OpCode.getData, watched(stats)],
  ['a', 'lift the limits', OpCode.setData, setData(limits, text('count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=-1'), -1)],
  ['a', 'many', OpCode.create, create('/q/e', 0, text('x'.repeat(50)))],
  ['a', 'delete the limits', OpCode.delete, versioned(limits, -1)],
  ['a', 'no more counting', OpCode.create, create('/q/f')],
  ['a', 'the use', OpCode.getData, watched(stats)],
];

const ACLS: readonly Step[] = [
  ['a', 'duplicates', OpCode.create, create('/dup', 0, null, [...OPEN_ACL_UNSAFE, ...OPEN_ACL_UNSAFE, acl('ip', '127.0.0.1')])],
  ['a', 'are gone', OpCode.getACL, onPath('/dup')],
  ...[
    acl('digest', 'nocolon'),
    acl('digest', 'a:b:c'),
    acl('ip', '127.0.0.1/33'),
    acl('ip', '1.2.3'),
    acl('ip', ''),
    acl('world', 'other'),
    acl('sasl', 'x'),
    acl('x509', 'CN=x'),
    acl('super', 'x'),
    acl('', ''),
  ].map((entry): Step => ['a', `an ACL of ${entry.id.scheme}:${entry.id.id}`, OpCode.create, create('/badacl', 0, null, [entry])]),
  ['a', 'no permission at all', OpCode.create, create('/noperms', 0, text('x'), [acl('world', 'anyone', 0)])],
  ['a', 'nobody reads it', OpCode.getData, watched('/noperms')],
  ['a', 'nor its list', OpCode.getACL, onPath('/noperms')],
  ['a', 'nor its children', OpCode.getAllChildrenNumber, onPath('/noperms')],
  ['a', 'nor in a multiRead', OpCode.multiRead, multiRead([OpCode.getData, '/noperms'], [OpCode.getChildren, '/noperms'])],
  ['a', 'an identity', OpCode.auth, auth('digest', 'alice:secret')],
  ['a', 'the same again', OpCode.auth, auth('digest', 'alice:secret')],
  ['a', 'an address', OpCode.auth, auth('ip', 'whatever')],
  [
    'a',
    'auth makes an entry of each',
    OpCode.create,
    create('/each', 0, text('x'), [acl('auth', '', Perms.READ), acl('auth', '', Perms.ADMIN)]),
  ],
  ['a', 'as shown', OpCode.getACL, onPath('/each')],
  ['a', 'read only', OpCode.setData, setData('/each', null, -1)],
  ['a', 'delete is the parent’s', OpCode.delete, versioned('/each', -1)],
  ['b', 'the super user', OpCode.auth, auth('digest', SUPER)],
  ['b', 'reads everything', OpCode.getData, watched('/noperms')],
  ['b', 'and its list', OpCode.getACL, onPath('/noperms')],
  ['b', 'and changes it', OpCode.setACL, setAcl('/noperms', [digest(Perms.READ, 'x:y')], 0)],
  ['a', 'still not for others', OpCode.setData, setData('/noperms', null, -1)],
];

const EVERY_OPERATION = [
  OpCode.create,
  OpCode.create2,
  OpCode.createContainer,
  OpCode.createTTL,
  OpCode.delete,
  OpCode.exists,
  OpCode.getData,
  OpCode.setData,
  OpCode.getACL,
  OpCode.setACL,
  OpCode.getChildren,
  OpCode.getChildren2,
  OpCode.sync,
  OpCode.multi,
  OpCode.multiRead,
  OpCode.setWatches,
  OpCode.setWatches2,
  OpCode.addWatch,
  OpCode.checkWatches,
  OpCode.removeWatches,
  OpCode.getEphemerals,
  OpCode.getAllChildrenNumber,
];
const NONSENSE: readonly Step[] = [
  ...EVERY_OPERATION.map((type): Step => ['a', `an empty body for ${type}`, type]),
  ...EVERY_OPERATION.map((type): Step => ['a', `a length without bytes for ${type}`, type, (body) => void body.int(1000)]),
  ...EVERY_OPERATION.map((type): Step => ['a', `a negative length for ${type}`, type, (body) => void body.int(-7).int(0).int(0)]),
  ['a', 'where the zxid is', OpCode.exists, watched('/')],
  [
    'a',
    'bytes behind a body',
    OpCode.create,
    (body) => {
      create('/behind')(body);
      body.int(1).int(2);
    },
  ],
  ...['', 'x', 'x/y', '/..', '/./x', '//', '/a//b', '/a/', '/\u0000', '/\u0001', '/\uf000', '/\ufff0', '/ä/ö'].flatMap((bad): Step[] => [
    ['a', `create ${JSON.stringify(bad)}`, OpCode.create, create(bad)],
    ['a', `delete ${JSON.stringify(bad)}`, OpCode.delete, versioned(bad, -1)],
    ['a', `setData ${JSON.stringify(bad)}`, OpCode.setData, setData(bad, null, -1)],
    ['a', `setACL ${JSON.stringify(bad)}`, OpCode.setACL, setAcl(bad, OPEN_ACL_UNSAFE, -1)],
    ['a', `exists ${JSON.stringify(bad)}`, OpCode.exists, watched(bad)],
    ['a', `getData ${JSON.stringify(bad)}`, OpCode.getData, watched(bad)],
    ['a', `getACL ${JSON.stringify(bad)}`, OpCode.getACL, onPath(bad)],
  ]),
  ['a', 'getEphemerals of null', OpCode.getEphemerals, (body) => void body.string(null)],
  ['a', 'getEphemerals of spaces', OpCode.getEphemerals, onPath('  ')],
  ['a', 'sync of anything', OpCode.sync, onPath('not a path')],
  ['a', 'an empty multiRead', OpCode.multiRead, multiRead()],
  ['a', 'a multiRead of an exists', OpCode.multiRead, multiRead([OpCode.exists, '/'])],
  ['a', 'checkWatches of no type', OpCode.checkWatches, typed('/', 9)],
  ['a', 'removeWatches of no type', OpCode.removeWatches, typed('/', 0)],
  ['a', 'reconfig without a body', OpCode.reconfig],
  ['a', 'versions of the root', OpCode.setData, setData('/', null, 99)],
  ['a', 'delete the quota root', OpCode.delete, versioned('/zookeeper/quota', -1)],
  ['a', 'delete the config', OpCode.delete, versioned('/zookeeper/config', -1)],
  ['a', 'create below the config', OpCode.create, create('/zookeeper/config/x')],
  ['a', 'create below /zookeeper', OpCode.create, create('/zookeeper/x')],
];

const WATCHES: readonly Step[] = [
  ['b', 'recursive on the root', OpCode.addWatch, typed('/', AddWatchMode.PERSISTENT_RECURSIVE)],
  ['a', 'create', OpCode.create, create('/w')],
  ['a', 'create below', OpCode.create, create('/w/x', CreateMode.EPHEMERAL)],
  ['b', 'a standard one on the same path', OpCode.getData, watched('/w', true)],
  ['a', 'set', OpCode.setData, setData('/w', text('1'), -1)],
  ['a', 'set again', OpCode.setData, setData('/w', text('2'), -1)],
  ['b', 'check data', OpCode.checkWatches, typed('/', WatcherType.Data)],
  ['b', 'check children', OpCode.checkWatches, typed('/', WatcherType.Children)],
  ['b', 'remove data', OpCode.removeWatches, typed('/', WatcherType.Data)],
  ['b', 'check data', OpCode.checkWatches, typed('/', WatcherType.Data)],
  ['b', 'check children', OpCode.checkWatches, typed('/', WatcherType.Children)],
  ['a', 'set', OpCode.setData, setData('/w', text('3'), -1)],
  ['a', 'create more', OpCode.create, create('/w/y')],
  ['b', 'remove the rest', OpCode.removeWatches, typed('/', WatcherType.Any)],
  ['b', 'a watch on what is not there', OpCode.getData, watched('/later', true)],
  ['b', 'children of what is not there', OpCode.getChildren, watched('/later', true)],
  ['b', 'existence of what is not there', OpCode.exists, watched('/later', true)],
  ['b', 'check it', OpCode.checkWatches, typed('/later', WatcherType.Data)],
  ['a', 'create it', OpCode.create, create('/later')],
  ['b', 'it is gone', OpCode.checkWatches, typed('/later', WatcherType.Any)],
  ['b', 'persistent on one that is there', OpCode.addWatch, typed('/later', AddWatchMode.PERSISTENT)],
  ['a', 'a child of it', OpCode.create, create('/later/c')],
  ['a', 'delete the child', OpCode.delete, versioned('/later/c', -1)],
  ['a', 'delete it', OpCode.delete, versioned('/later', -1)],
  ['a', 'create it again', OpCode.create, create('/later')],
  ['b', 'setWatches of the deleted and the changed', OpCode.setWatches, watches(0, ['/w', '/no'], ['/w', '/no'], ['/w', '/no'])],
  [
    'b',
    'setWatches2',
    OpCode.setWatches2,
    (body) => {
      watches(0, ['/w'], ['/no2'], [])(body);
      body.strings(['/w', '/no']).strings(['/']);
    },
  ],
  ['a', 'set under both', OpCode.setData, setData('/w', null, -1)],
  ['a', 'create under the recursive', OpCode.create2, create('/w/z')],
  ['a', 'delete the ephemeral', OpCode.delete, versioned('/w/x', -1)],
  ['a', 'setACL is silent', OpCode.setACL, setAcl('/w', [acl('world', 'anyone', Perms.ALL)], -1)],
  ['a', 'an ephemeral that goes with its session', OpCode.create, create('/w/last', CreateMode.EPHEMERAL)],
];

const SETTINGS = { extendedTypesEnabled: true, enforceQuota: true, reconfigEnabled: true };

describe.skipIf(!apacheZooKeeperInstalled)(
  `our server beside Apache ZooKeeper ${apacheZooKeeperInstalled ? '' : SKIPPED_WITHOUT_APACHE}`,
  () => {
    let folder: string;
    let ours: ZooKeeperServer;
    let apache: ApacheZooKeeper;
    beforeAll(async () => {
      folder = fs.mkdtempSync(path.join(os.tmpdir(), 'samsa-zk-wire-options-'));
      ours = new ZooKeeperServer({
        runtime: createNodeRuntime(silentLogger),
        dataDir: path.join(folder, 'ours'),
        hosts: ['127.0.0.1'],
        clientPort: 0,
        tickTimeMs: 500,
        ...SETTINGS,
        superDigest: digestId(SUPER),
      });
      await ours.start();
      apache = await startApacheZooKeeper({
        dataDir: path.join(folder, 'apache'),
        tickTimeMs: 500,
        properties: {
          extendedTypesEnabled: 'true',
          enforceQuota: 'true',
          reconfigEnabled: 'true',
          'DigestAuthenticationProvider.superDigest': digestId(SUPER),
        },
      });
    });
    afterAll(async () => {
      await apache.kill();
      await ours.close();
      fs.rmSync(folder, { recursive: true, force: true });
    });

    it.each([
      ['TTL nodes and containers', TTL],
      ['quotas', QUOTAS],
      ['ACLs and identities', ACLS],
      ['nonsense', NONSENSE],
      ['watches', WATCHES],
    ])('answers %s with the same bytes', async (_name, steps) => {
      const [mine, theirs] = [await transcribe(ours.port, steps), await transcribe(apache.port, steps)];
      const differing = theirs.flatMap((expected, index) => {
        const actual = mine[index];
        return JSON.stringify(actual) === JSON.stringify(expected) ? [] : [{ expected, actual }];
      });
      expect(differing).toEqual([]);
    });

    it('answers pipelined requests in their order', async () => {
      const play = async (port: number): Promise<string[]> => {
        const session = await RawSession.open({ port, sessionTimeoutMs: LONG_SESSION_MS });
        const frames: Buffer[] = [];
        for (let i = 0; i < 300; i++) {
          const frame = requestFrame(i, [OpCode.create, OpCode.exists, OpCode.setData, OpCode.getData, OpCode.ping][i % 5] ?? 0);
          if (i % 5 === 0) create('/pipe-', CreateMode.PERSISTENT_SEQUENTIAL, text(`${i}`))(frame);
          else if (i % 5 === 2) setData('/', text(`${i}`), -1)(frame);
          else if (i % 5 !== 4) watched(i % 5 === 1 ? '/pipe-none' : '/')(frame);
          frames.push(finishFrame(frame));
        }
        session.sendBytes(Buffer.concat(frames));
        await session.request(1000, OpCode.sync, onPath('/'));
        const answers = session.takeFrames().map((frame) => masked(frame, [session]));
        session.destroy();
        return answers;
      };
      expect(await play(ours.port)).toEqual(await play(apache.port));
    });

    it('shakes hands with the same bytes: time-outs, read-only flag, a session taken over, refusals', async () => {
      const play = async (port: number): Promise<string[]> => {
        const seen: string[] = [];
        for (const sessionTimeoutMs of [-1, 0, 1, 999, 1000, 1001, 5000, 10_000, 2 ** 31 - 1]) {
          for (const readOnly of [undefined, false, true]) {
            const session = await RawSession.open({ port, sessionTimeoutMs, ...(readOnly === undefined ? {} : { readOnly }) });
            seen.push(masked(session.handshake ?? Buffer.alloc(0), [session]));
            session.destroy();
          }
        }
        const first = await RawSession.open({ port, sessionTimeoutMs: LONG_SESSION_MS });
        const { sessionId, password } = first;
        const second = await RawSession.open({ port, sessionTimeoutMs: 9000, sessionId, password });
        seen.push(`taken over ${masked(second.handshake ?? Buffer.alloc(0), [first])}`);
        await first.untilClosed();
        await second.request(1, OpCode.exists, watched('/'));
        const unknown = await RawSession.open({
          port,
          sessionTimeoutMs: LONG_SESSION_MS,
          sessionId: Buffer.from('0100000000000077', 'hex'),
          password,
        });
        await unknown.untilClosed();
        seen.push(`unknown ${(unknown.handshake ?? Buffer.alloc(0)).toString('hex')}`);
        const ahead = await RawSession.open({ port, sessionTimeoutMs: LONG_SESSION_MS, lastZxidSeen: 2 ** 40 });
        await ahead.untilClosed();
        seen.push(`ahead ${(ahead.handshake ?? Buffer.alloc(0)).toString('hex')}`);
        for (const scheme of ['nope', 'world', 'super', '']) {
          const session = await RawSession.open({ port, sessionTimeoutMs: LONG_SESSION_MS });
          await session.request(-4, OpCode.auth, auth(scheme, 'x'));
          await session.untilClosed();
          seen.push(...session.takeFrames().map((frame) => `${scheme} ${masked(frame, [session])}`));
        }
        second.destroy();
        return seen;
      };
      expect(await play(ours.port)).toEqual(await play(apache.port));
    });
  },
);
