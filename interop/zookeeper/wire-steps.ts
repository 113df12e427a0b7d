/** For comparing servers byte for byte: requests by name, and a player that writes down every frame that comes back. */
import { OpCode, CreateMode } from '../../src/zookeeper/jute/constants.ts';
import type { JuteWriter } from '../../src/zookeeper/jute/jute-writer.ts';
import { type Acl, OPEN_ACL_UNSAFE, writeAcls } from '../../src/zookeeper/jute/records.ts';
import { type MultiOp, writeMulti, writeMultiHeader } from '../../src/zookeeper/jute/requests.ts';
import { RawSession } from '../../src/zookeeper/testing/raw-session.ts';

const SESSION_TIMEOUT_MS = 10_000;
/** Frames of both servers may differ in what they hold of this. */
const MASK = 0xee;

export type Write = (body: JuteWriter) => void;
/** Which session sends, the operation, its body. */
export type Step = readonly [session: 'a' | 'b', name: string, type: number, write?: Write];

export const text = (value: string): Buffer => Buffer.from(value);
export const digest = (perms: number, id: string): Acl => ({ perms, id: { scheme: 'digest', id } });
export const create =
  (nodePath: string, mode: number = CreateMode.PERSISTENT, data: Buffer | null = null, acl: readonly Acl[] = OPEN_ACL_UNSAFE): Write =>
  (body) => {
    writeAcls(body.string(nodePath).buffer(data), acl);
    body.int(mode);
  };
export const createTtl =
  (nodePath: string, mode: number, ttl: number): Write =>
  (body) => {
    create(nodePath, mode)(body);
    body.long(ttl);
  };
export const versioned =
  (nodePath: string, version: number): Write =>
  (body) =>
    void body.string(nodePath).int(version);
export const setData =
  (nodePath: string, data: Buffer | null, version: number): Write =>
  (body) =>
    void body.string(nodePath).buffer(data).int(version);
export const setAcl =
  (nodePath: string, acl: readonly Acl[], version: number): Write =>
  (body) => {
    writeAcls(body.string(nodePath), acl);
    body.int(version);
  };
export const watched =
  (nodePath: string, watch = false): Write =>
  (body) =>
    void body.string(nodePath).bool(watch);
export const onPath =
  (nodePath: string): Write =>
  (body) =>
    void body.string(nodePath);
export const typed =
  (nodePath: string, type: number): Write =>
  (body) =>
    void body.string(nodePath).int(type);
export const multi =
  (...ops: MultiOp[]): Write =>
  (body) =>
    writeMulti(body, ops);
export const createOp = (nodePath: string, mode: number = CreateMode.PERSISTENT, type: 1 | 15 | 19 = OpCode.create): MultiOp => ({
  type,
  path: nodePath,
  data: text('m'),
  acl: OPEN_ACL_UNSAFE,
  mode,
  ttl: -1,
});
export const multiRead =
  (...ops: [type: number, nodePath: string][]): Write =>
  (body) => {
    for (const [type, nodePath] of ops) {
      writeMultiHeader(body, type, false, -1);
      body.string(nodePath).bool(false);
    }
    writeMultiHeader(body, -1, true, -1);
  };
export const auth =
  (scheme: string, credentials: string): Write =>
  (body) =>
    void body.int(0).string(scheme).buffer(text(credentials));
export const watches =
  (relativeZxid: number, data: string[], exist: string[], child: string[]): Write =>
  (body) =>
    void body.long(relativeZxid).strings(data).strings(exist).strings(child);

export interface Transcript {
  readonly name: string;
  readonly a: string[];
  readonly b: string[];
}

/** Plays the steps in two sessions and gives every frame of both, session ids, passwords and times masked. */
export async function transcribe(port: number, steps: readonly Step[]): Promise<Transcript[]> {
  const sessions = {
    a: await RawSession.open({ port, sessionTimeoutMs: SESSION_TIMEOUT_MS, readOnly: false }),
    b: await RawSession.open({ port, sessionTimeoutMs: SESSION_TIMEOUT_MS }),
  };
  const mask = (frame: Buffer): string => masked(frame, [sessions.a, sessions.b]);
  const transcripts: Transcript[] = [
    { name: 'handshakes', a: [mask(sessions.a.handshake ?? Buffer.alloc(0))], b: [mask(sessions.b.handshake ?? Buffer.alloc(0))] },
  ];
  let xid = 1;
  for (const [who, name, type, write] of steps) {
    await sessions[who].request(type === OpCode.ping ? -2 : type === OpCode.auth ? -4 : xid++, type, write);
    // The other session's notifications are in front of the reply to its own next request.
    const other = who === 'a' ? 'b' : 'a';
    await sessions[other].request(xid++, OpCode.exists, watched('/'));
    transcripts.push({ name, a: sessions.a.takeFrames().map(mask), b: sessions.b.takeFrames().map(mask) });
  }
  await sessions.a.request(xid++, OpCode.closeSession);
  await sessions.a.untilClosed();
  await sessions.b.request(xid++, OpCode.getChildren2, watched('/m'));
  await sessions.b.request(xid++, 4711);
  await sessions.b.untilClosed();
  transcripts.push({
    name: 'closeSession and an unknown operation',
    a: sessions.a.takeFrames().map(mask),
    b: sessions.b.takeFrames().map(mask),
  });
  // Left to its time-out, the session would end in the middle of what is played next, and take a zxid there.
  const { sessionId, password } = sessions.b;
  const again = await RawSession.open({ port, sessionTimeoutMs: SESSION_TIMEOUT_MS, sessionId, password });
  await again.request(xid, OpCode.closeSession);
  await again.untilClosed();
  return transcripts;
}

/** Hex, with session ids, passwords and times masked. */
export function masked(frame: Buffer, sessions: readonly RawSession[]): string {
  const copy = Buffer.from(frame);
  for (const session of sessions) {
    for (const secret of [session.sessionId, session.password]) {
      for (let at = copy.indexOf(secret); at >= 0; at = copy.indexOf(secret)) copy.fill(MASK, at, at + secret.length);
    }
  }
  const nowMs = Date.now();
  for (let at = 0; at + 8 <= copy.length; at++) {
    const value = copy.readInt32BE(at) * 2 ** 32 + copy.readUInt32BE(at + 4);
    if (Math.abs(value - nowMs) < 600_000) copy.fill(MASK, at, at + 8);
  }
  return copy.toString('hex');
}
