import { expect, it } from 'vitest';
import { ErrorCode } from '../../protocol/errors.ts';
import { MetadataCache } from '../metadata/metadata-cache.ts';
import { partitionState, updateMetadata } from '../metadata/testing/update-metadata.ts';
import type { Partition } from '../replication/partition.ts';
import { dataDirectory } from './data-directory.ts';

const T = { topic: 't', partition: 0 };

function setUp(): { cache: MetadataCache; lead: (isLeader: boolean) => void; exists: () => boolean; errorCode: () => number } {
  const cache = new MetadataCache();
  let partition: Partition | undefined;
  const directory = dataDirectory(cache, { partition: () => partition });
  return {
    cache,
    lead: (isLeader) => {
      partition = { isLeader } as Partition;
    },
    exists: () => directory.partitionExists(T),
    errorCode: () => directory.absentPartitionError,
  };
}

it('knows a partition that this broker leads before UpdateMetadata tells of it, and not one that it follows', () => {
  const { lead, exists } = setUp();
  expect(exists()).toBe(false);
  lead(false);
  expect(exists()).toBe(false);
  lead(true);
  expect(exists()).toBe(true);
});

it('knows no partition that is being deleted, although its log is still led here, until the topic is made again', () => {
  const { cache, lead, exists, errorCode } = setUp();
  const id = 'txxxxxxxxxxxxxxxxxxxxA';
  lead(true);
  cache.updateMetadata(
    updateMetadata({ t: { id, states: [partitionState(0, 1)] }, u: { id: 'uxxxxxxxxxxxxxxxxxxxxA', states: [partitionState(0, 1)] } }),
  );
  cache.updateMetadata(updateMetadata({ t: { id, states: [partitionState(0, -2)] } }));
  expect([exists(), errorCode()]).toEqual([false, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]);
  cache.updateMetadata(updateMetadata({ t: { id, states: [partitionState(0, 1)] } }));
  expect(exists()).toBe(true);
});
