/** Bytes that Apache ZooKeeper 3.8.0 sent (kafka-facts 5.5), read and written by our codec. */
import { describe, expect, it } from 'vitest';
import { writeReplyBody } from '../processor/write-replies.ts';
import { OpCode } from './constants.ts';
import { JuteReader } from './jute-reader.ts';
import { JuteWriter, finishFrame } from './jute-writer.ts';
import { type StatRecord, readStat } from './records.ts';
import { readConnectRequest, readConnectResponse, encodeConnectRequest, encodeConnectResponse, replyFrame } from './session-records.ts';

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(/[^0-9a-f]/g, ''), 'hex');
const STAT: StatRecord = {
  czxid: 0x28,
  mzxid: 0x29,
  ctime: 1_700_000_000_000,
  mtime: 1_700_000_000_001,
  version: 1,
  cversion: -1,
  aversion: 2,
  ephemeralOwner: '010000247e3e0000',
  dataLength: 3,
  numChildren: 4,
  pzxid: 0x30,
};

describe('a ConnectResponse', () => {
  const password = '00112233445566778899aabbccddeeff';
  const accepted = bytes(`00000000 00000fa0 010000247e3e0000 00000010 ${password} 00`);
  const rejected = bytes(`00000000 00000000 0000000000000000 00000010 ${'00'.repeat(16)}`);

  it('is read and written as Apache writes it', () => {
    const response = readConnectResponse(new JuteReader(accepted));
    expect(response).toEqual({
      protocolVersion: 0,
      timeOut: 4000,
      sessionId: '010000247e3e0000',
      passwd: bytes(password),
      readOnly: false,
    });
    expect(encodeConnectResponse(response).subarray(4)).toEqual(accepted);
  });

  it('has no readOnly byte for a client that sent none', () => {
    const response = readConnectResponse(new JuteReader(rejected));
    expect(response.readOnly).toBeUndefined();
    expect(encodeConnectResponse(response).subarray(4)).toEqual(rejected);
  });
});

describe('a ConnectRequest', () => {
  it('is 44 bytes without the readOnly byte and 45 with it', () => {
    const request = {
      protocolVersion: 0,
      lastZxidSeen: 5,
      timeOut: 6000,
      sessionId: '0000000000000000',
      passwd: Buffer.alloc(16),
      readOnly: undefined,
    };
    for (const readOnly of [undefined, false, true]) {
      const body = encodeConnectRequest({ ...request, readOnly }).subarray(4);
      expect(body.length).toBe(readOnly === undefined ? 44 : 45);
      expect(readConnectRequest(new JuteReader(body))).toEqual({ ...request, readOnly });
    }
  });
});

describe('a multi’s reply', () => {
  const encode = (results: Parameters<typeof writeReplyBody>[2]['multi']): string => {
    const writer = new JuteWriter();
    writeReplyBody(writer, OpCode.multi, { type: OpCode.multi, err: 0, multi: results ?? [] });
    return writer.finish().toString('hex');
  };

  it('has each result behind its header when all succeeded', () => {
    const stat =
      '0000000000000028 0000000000000029 0000018bcfe56800 0000018bcfe56801 00000001 ffffffff 00000002 010000247e3e0000 00000003 00000004 0000000000000030';
    const expected = `0000000d 00 00000000 | 00000005 00 00000000 ${stat} | 00000001 00 00000000 00000004 2f612f6d | 00000002 00 00000000 | ffffffff 01 ffffffff`;
    const results = [
      { type: OpCode.check, err: 0 },
      { type: OpCode.setData, err: 0, stat: STAT },
      { type: OpCode.create, err: 0, path: '/a/m' },
      { type: OpCode.delete, err: 0 },
    ];
    expect(encode(results)).toBe(bytes(expected).toString('hex'));
  });

  it('has only errors when one failed', () => {
    const errors = (...codes: number[]): string => encode(codes.map((err) => ({ type: OpCode.error, err })));
    expect(errors(-103, -2)).toBe(
      bytes('ffffffff 00 ffffff99 ffffff99 | ffffffff 00 fffffffe fffffffe | ffffffff 01 ffffffff').toString('hex'),
    );
    expect(errors(0, -101)).toBe(
      bytes('ffffffff 00 00000000 00000000 | ffffffff 00 ffffff9b ffffff9b | ffffffff 01 ffffffff').toString('hex'),
    );
  });
});

describe('other frames', () => {
  it('are a notification and the reply to setWatches', () => {
    const notification = finishFrame(replyFrame(-1, -1, 0).int(3).int(3).string('/a'));
    expect(notification.subarray(4)).toEqual(bytes('ffffffff ffffffffffffffff 00000000 | 00000003 00000003 00000002 2f61'));
    expect(finishFrame(replyFrame(-8, 0x2a, 0)).subarray(4)).toEqual(bytes('fffffff8 000000000000002a 00000000'));
  });

  it('hold a Stat of 68 bytes', () => {
    const writer = new JuteWriter();
    writeReplyBody(writer, OpCode.setData, { type: OpCode.setData, err: 0, stat: STAT });
    expect(writer.length).toBe(68);
    expect(readStat(new JuteReader(writer.finish()))).toEqual(STAT);
  });
});
