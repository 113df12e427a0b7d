import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allApis, apiByKey } from '../../protocol/apis.ts';
import { encodeRequest } from '../../protocol/frames.ts';
import { Heartbeat } from '../../protocol/generated/heartbeat.ts';
import { decodeRequest } from './request-decoder.ts';

/** Serves every API there is. */
const everything = { versionsOf: (apiKey: number) => apiByKey(apiKey) };

function frameOf(version: number): Buffer {
  const body = { groupId: 'group', generationId: 5, memberId: 'member' };
  return Buffer.concat(encodeRequest(Heartbeat, version, 7, 'client', body)).subarray(4);
}

describe('decodeRequest', () => {
  it('gives header and body', () => {
    expect(decodeRequest(everything, frameOf(4))).toMatchObject({
      header: { apiKey: 12, apiVersion: 4, correlationId: 7, clientId: 'client' },
      body: { groupId: 'group', generationId: 5, memberId: 'member' },
      isUnsupportedVersion: false,
    });
  });

  it('ends in a request or a reason, whatever the bytes are', () => {
    const keys = fc.constantFrom(...allApis.map(({ key }) => key));
    fc.assert(
      fc.property(keys, fc.integer({ min: 0, max: 18 }), fc.uint8Array({ maxLength: 300 }), (apiKey, version, rest) => {
        const start = Buffer.alloc(8);
        start.writeInt16BE(apiKey, 0);
        start.writeInt16BE(version, 2);
        const result = decodeRequest(everything, Buffer.concat([start, rest]));
        expect('reason' in result ? result.reason.length : result.header.apiKey).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses a request that is cut off anywhere', () => {
    const whole = frameOf(4);
    for (let length = 0; length < whole.length; length++)
      expect(decodeRequest(everything, whole.subarray(0, length))).toHaveProperty('reason');
  });
});
