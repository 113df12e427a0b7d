/** Whatever the bytes are, a decoder returns a value or throws `JuteError`; what was encoded is decoded to the same. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTxnEntry, writeTxnEntry, type Txn } from '../txn.ts';
import { OpCode } from './constants.ts';
import { FrameDecoder } from './frame-decoder.ts';
import { JuteError, JuteReader } from './jute-reader.ts';
import { JuteWriter } from './jute-writer.ts';
import { type Acl, readAcls, readStat, writeAcls } from './records.ts';
import {
  type MultiOp,
  readAuth,
  readCreate,
  readMulti,
  readMultiRead,
  readPathWatch,
  readSetAcl,
  readSetWatches,
  writeMulti,
} from './requests.ts';
import { readConnectRequest, readConnectResponse } from './session-records.ts';

const RUNS = { numRuns: 300 };
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const long = fc.integer({ min: -(2 ** 52), max: 2 ** 52 });
const text = fc.string({ unit: 'binary', maxLength: 20 });
const data = fc.option(fc.uint8Array({ maxLength: 64 }).map((array) => Buffer.from(array)));
const acl: fc.Arbitrary<Acl[]> = fc.array(fc.record({ perms: int32, id: fc.record({ scheme: text, id: text }) }), { maxLength: 3 });
const longHex = fc.uint8Array({ minLength: 8, maxLength: 8 }).map((array) => Buffer.from(array).toString('hex'));

/** Biased to what decoders look at: small counts, lengths, -1, long runs of zeros. */
const garbage = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        [0, 0, 0, 0],
        [255, 255, 255, 255],
        [0, 0, 0, 1],
        [0, 0, 0, 5, 47, 97, 98, 99, 100],
        [127, 255, 255, 255],
        [0, 0, 1, 0],
      ),
      fc.array(fc.nat(255), { maxLength: 6 }),
    ),
    { maxLength: 30 },
  )
  .map((parts) => Buffer.from(parts.flat()));

describe('decoders on garbage', () => {
  const decoders: Record<string, (reader: JuteReader) => unknown> = {
    ConnectRequest: readConnectRequest,
    ConnectResponse: readConnectResponse,
    create: (reader) => readCreate(reader, OpCode.create),
    createTTL: (reader) => readCreate(reader, OpCode.createTTL),
    setACL: readSetAcl,
    pathWatch: readPathWatch,
    auth: readAuth,
    setWatches: (reader) => readSetWatches(reader, OpCode.setWatches),
    setWatches2: (reader) => readSetWatches(reader, OpCode.setWatches2),
    multi: readMulti,
    multiRead: readMultiRead,
    stat: readStat,
    acls: readAcls,
  };
  it.each(Object.entries(decoders))('%s', (_name, decode) => {
    fc.assert(
      fc.property(garbage, (bytes) => {
        try {
          decode(new JuteReader(bytes));
        } catch (error) {
          if (!(error instanceof JuteError)) throw error;
        }
      }),
      RUNS,
    );
  });

  it('a transaction', () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.values(OpCode)), garbage, (type, bytes) => {
        const header = new JuteWriter().longHex('0100000000000000').int(1).long(2).long(3).int(type).finish();
        try {
          readTxnEntry(Buffer.concat([header, bytes]));
        } catch (error) {
          if (!(error instanceof JuteError)) throw error;
        }
      }),
      RUNS,
    );
  });

  it('allocates nothing for a count that the input can’t hold', () => {
    const claims = new JuteWriter().int(0x7fffffff).finish();
    expect(() => new JuteReader(claims).strings()).toThrow(JuteError);
    expect(() => new JuteReader(claims).buffer()).toThrow(JuteError);
  });

  it('refuses a long that a number can’t hold', () => {
    expect(() => new JuteReader(Buffer.from('0020000000000000', 'hex')).long()).toThrow(JuteError);
    expect(new JuteReader(Buffer.from('001fffffffffffff', 'hex')).long()).toBe(Number.MAX_SAFE_INTEGER);
  });
});

describe('what is encoded', () => {
  it('is decoded to the same primitive', () => {
    fc.assert(
      fc.property(int32, long, longHex, fc.boolean(), fc.option(text), data, (i, l, hex, flag, string, bytes) => {
        const reader = new JuteReader(new JuteWriter(1).int(i).long(l).longHex(hex).bool(flag).string(string).buffer(bytes).finish());
        // A lone surrogate has no UTF-8: it comes back as U+FFFD.
        const expected = string === null ? null : Buffer.from(string, 'utf8').toString('utf8');
        expect([reader.int(), reader.long(), reader.longHex(), reader.bool(), reader.nullableString(), reader.buffer()]).toEqual([
          i,
          l,
          hex,
          flag,
          expected,
          bytes,
        ]);
        expect(reader.remaining).toBe(0);
      }),
      RUNS,
    );
  });

  const well = fc.string({ maxLength: 20 });
  const op: fc.Arbitrary<MultiOp> = fc.oneof(
    fc.record({
      type: fc.constant(OpCode.create),
      path: well,
      data,
      acl: fc.constant([]),
      mode: fc.integer({ min: 0, max: 3 }),
      ttl: fc.constant(-1),
    }),
    fc.record({
      type: fc.constant(OpCode.createTTL),
      path: well,
      data,
      acl: fc.constant([]),
      mode: fc.integer({ min: 5, max: 6 }),
      ttl: fc.nat(),
    }),
    fc.record({ type: fc.constantFrom(OpCode.delete, OpCode.check), path: well, version: int32 }),
    fc.record({ type: fc.constant(OpCode.setData), path: well, data, version: int32 }),
  );
  it('is decoded to the same multi', () => {
    fc.assert(
      fc.property(fc.array(op, { maxLength: 6 }), (ops) => {
        const writer = new JuteWriter();
        writeMulti(writer, ops);
        expect(readMulti(new JuteReader(writer.finish()))).toEqual(ops);
      }),
      RUNS,
    );
  });

  it('is decoded to the same list of ACLs', () => {
    fc.assert(
      fc.property(acl, (list) => {
        const writer = new JuteWriter();
        writeAcls(writer, list);
        const expected = list.map(({ perms, id }) => ({
          perms,
          id: { scheme: Buffer.from(id.scheme).toString(), id: Buffer.from(id.id).toString() },
        }));
        expect(readAcls(new JuteReader(writer.finish()))).toEqual(expected);
      }),
      RUNS,
    );
  });

  const sub = fc.oneof(
    fc.record({
      type: fc.constantFrom(OpCode.create, OpCode.create2),
      path: well,
      data,
      acl: fc.constant([]),
      ephemeral: fc.boolean(),
      parentCVersion: int32,
    }),
    fc.record({ type: fc.constant(OpCode.createContainer), path: well, data, acl: fc.constant([]), parentCVersion: int32 }),
    fc.record({ type: fc.constant(OpCode.createTTL), path: well, data, acl: fc.constant([]), parentCVersion: int32, ttl: fc.nat() }),
    fc.record({ type: fc.constantFrom(OpCode.delete, OpCode.deleteContainer), path: well }),
    fc.record({ type: fc.constant(OpCode.setData), path: well, data, version: int32 }),
    fc.record({ type: fc.constant(OpCode.check), path: well, version: int32 }),
    fc.record({ type: fc.constant(OpCode.error), err: int32 }),
  );
  const txn: fc.Arbitrary<Txn> = fc.oneof(
    sub,
    fc.record({ type: fc.constant(OpCode.setACL), path: well, acl: fc.constant([]), version: int32 }),
    fc.record({ type: fc.constant(OpCode.createSession), timeOut: int32 }),
    fc.record({ type: fc.constant(OpCode.closeSession), paths2Delete: fc.array(well, { maxLength: 3 }) }),
    fc.record({ type: fc.constant(OpCode.multi), txns: fc.array(sub, { maxLength: 4 }) }),
  );
  it('is decoded to the same transaction', () => {
    fc.assert(
      fc.property(longHex, int32, long, long, txn, (clientId, cxid, zxid, time, body) => {
        const header = { clientId, cxid, zxid, time, type: body.type };
        const writer = new JuteWriter();
        writeTxnEntry(writer, { header, txn: body, digest: 2 ** 40 + 7 });
        expect(readTxnEntry(Buffer.from(writer.finish()))).toEqual({ header, txn: body, digest: 2 ** 40 + 7 });
      }),
      RUNS,
    );
  });
});

describe('FrameDecoder', () => {
  it('gives the same frames however the stream is cut', () => {
    const sizes = fc.array(fc.nat(50), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 8 }), sizes, (frames, cuts) => {
        const stream = Buffer.concat(frames.map((frame) => new JuteWriter().buffer(frame).finish()));
        const decoded: Buffer[] = [];
        const decoder = new FrameDecoder(100, {
          onFrame: (frame) => {
            decoded.push(Buffer.from(frame));
            return true;
          },
          onBadLength: (length) => {
            throw new Error(`length ${length}`);
          },
        });
        let at = 0;
        for (const size of [...cuts, stream.length]) {
          decoder.push(stream.subarray(at, at + size));
          at += size;
        }
        // A frame of no bytes at the very end shows with the next chunk; it has none here.
        expect(decoded).toEqual(frames.map((frame) => Buffer.from(frame)).slice(0, decoded.length));
        expect(frames.slice(decoded.length).every((frame) => frame.length === 0)).toBe(true);
      }),
      RUNS,
    );
  });

  it('refuses lengths below 0 and above its limit, and takes nothing more', () => {
    for (const length of [-1, 101, 0x7fffffff, -(2 ** 31)]) {
      const bad: number[] = [];
      const decoder = new FrameDecoder(100, {
        onFrame: () => {
          throw new Error('no frame expected');
        },
        onBadLength: (value) => bad.push(value),
      });
      decoder.push(new JuteWriter().int(length).int(0).int(0).finish());
      decoder.push(Buffer.alloc(20));
      expect(bad).toEqual([length]);
    }
  });

  it('keeps what follows a frame that stopped it', () => {
    const frames: string[] = [];
    const decoder = new FrameDecoder(100, {
      onFrame: (frame) => {
        frames.push(frame.toString());
        return frames.length !== 1;
      },
      onBadLength: () => undefined,
    });
    const stream = new JuteWriter().string('one').string('two').string('three').finish();
    decoder.push(stream.subarray(0, 12));
    decoder.push(stream.subarray(12));
    expect(frames).toEqual(['one']);
    decoder.resume();
    expect(frames).toEqual(['one', 'two', 'three']);
  });
});
