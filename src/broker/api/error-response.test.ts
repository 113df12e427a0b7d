import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allApis } from '../../protocol/apis.ts';
import { ErrorCode } from '../../protocol/errors.ts';
import { decodeResponse, encodeResponse } from '../../protocol/frames.ts';
import { loadDefinitions } from '../../protocol/generator/load.ts';
import { arbitraryMessage } from '../../protocol/testing/messages.ts';
import { errorResponse } from './error-response.ts';

/** Their handlers come with later issues: until then they aren't served. */
const WITHOUT_ERROR_RESPONSE = [
  'SaslHandshake',
  'SaslAuthenticate',
  'DescribeAcls',
  'CreateAcls',
  'DeleteAcls',
  'DescribeClientQuotas',
  'AlterClientQuotas',
  'DescribeUserScramCredentials',
  'AlterUserScramCredentials',
  'DescribeProducers',
  'DescribeTransactions',
  'ListTransactions',
];

const definitions = await loadDefinitions();
const apis = allApis.filter(({ name }) => !WITHOUT_ERROR_RESPONSE.includes(name));

describe('errorResponse', () => {
  it('is there for every API but those that are not served yet', () => {
    const missing = allApis.filter(({ key, maxVersion }) => {
      try {
        return errorResponse(key, maxVersion, {}, ErrorCode.NONE) === undefined;
      } catch {
        // It has an entry, which wants a real request.
        return false;
      }
    });
    expect(missing.map(({ name }) => name).toSorted()).toEqual(WITHOUT_ERROR_RESPONSE.toSorted());
  });

  it.each(apis)('of $name can be written in each version, to any request', (api) => {
    const definition = definitions.find((candidate) => candidate.kind === 'api' && candidate.key === api.key);
    if (definition?.kind !== 'api') throw new Error(`${api.name} has no definition`);
    for (let version = api.minVersion; version <= api.maxVersion; version++) {
      fc.assert(
        fc.property(arbitraryMessage(definition.request, version), (request) => {
          const body = errorResponse(api.key, version, request, ErrorCode.NOT_CONTROLLER);
          const frame = Buffer.concat(encodeResponse(api, version, 5, body as never)).subarray(4);
          expect(decodeResponse(api, version, frame).correlationId).toBe(5);
        }),
        { numRuns: 10 },
      );
    }
  });

  it('names the error for each partition of a produce, and once for a fetch with sessions', () => {
    const produce = errorResponse(0, 9, { topicData: [{ name: 't', partitionData: [{ index: 3 }] }] }, 6);
    expect(produce).toMatchObject({ responses: [{ name: 't', partitionResponses: [{ index: 3, errorCode: 6 }] }] });
    expect(errorResponse(1, 12, { topics: [{ topic: 't', partitions: [{ partition: 1 }] }] }, 6)).toMatchObject({
      errorCode: 6,
      responses: [],
    });
    expect(errorResponse(1, 4, { topics: [{ topic: 't', partitions: [{ partition: 1 }] }] }, 6)).toMatchObject({
      responses: [{ partitions: [{ partitionIndex: 1, errorCode: 6 }] }],
    });
  });
});
