/** Responses that we encode, read by KafkaJS; requests and batches that KafkaJS encodes, read by us. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AnyApi, Codec } from './api.ts';
import { allApis } from './apis.ts';
import { Fetch } from './generated/fetch.ts';
import { JoinGroup } from './generated/join-group.ts';
import { Produce } from './generated/produce.ts';
import { loadDefinitions } from './generator/load.ts';
import { Reader } from './reader.ts';
import { readBatchHeader } from './records/record-batch.ts';
import { iterateRecords } from './records/record-reader.ts';
import { validateBatch } from './records/validate-batch.ts';
import { distinctMessage, wireValues, type Message } from './testing/messages.ts';
import { Writer } from './writer.ts';

const require = createRequire(import.meta.url);
const root = join(dirname(require.resolve('kafkajs/package.json')), 'src', 'protocol', 'requests');

interface TheirRequest {
  encode(): Promise<{ buffer: Buffer }>;
}

function theirRequest(api: string, version: number, given: object): Promise<{ buffer: Buffer }> {
  const make = require(join(root, api, `v${version}`, 'request.js')) as (given: object) => TheirRequest;
  return make(given).encode();
}

function leaves(value: unknown, into: string[] = []): string[] {
  if (value === null || value === undefined) return into;
  if (Buffer.isBuffer(value)) into.push(value.toString('hex'));
  else if (Array.isArray(value)) for (const element of value) leaves(element, into);
  else if (typeof value === 'object' && value.constructor.name === 'Long') into.push((value as { toString(): string }).toString());
  else if (typeof value === 'object') leaves(Object.values(value), into);
  else into.push(`${value as string | number | boolean}`);
  return into;
}

/** Where it drops fields, or reads them wrongly. */
const LEFT_OUT: Record<string, string> = {
  'DeleteRecords v0': 'makes its parser from the request',
  'DeleteRecords v1': 'makes its parser from the request',
  'AlterPartitionReassignments v0': 'drops the error messages',
  'ListPartitionReassignments v0': 'drops the error message',
  'SaslAuthenticate v0': 'hands on the token as it will be parsed later',
  'SaslAuthenticate v1': 'hands on the token as it will be parsed later',
};

const definitions = await loadDefinitions();
const cases: [string, AnyApi, number, string][] = [];
for (const api of allApis) {
  for (let version = api.minVersion; version <= api.maxVersion; version++) {
    const name = `${api.name[0]!.toLowerCase()}${api.name.slice(1)}`;
    const path = join(root, name, `v${version}`, 'response.js');
    const label = `${api.name} v${version}`;
    if (existsSync(path) && LEFT_OUT[label] === undefined && api.key !== Fetch.key) cases.push([label, api, version, path]);
  }
}

describe('responses of ours, read by KafkaJS', () => {
  it.each(cases)('%s', async (_label, api, version, path) => {
    const definition = definitions.find((candidate) => candidate.kind === 'api' && candidate.key === api.key);
    if (definition?.kind !== 'api') throw new Error('no definition');
    const message = distinctMessage(definition.response, version);
    const writer = new Writer();
    // It reads the header's tagged fields with the body.
    if (version >= api.flexibleFrom) writer.unsignedVarint(0);
    (api.response as Codec<unknown, Message>).encode(writer, message, version);
    const parser = require(path) as { decode(body: Buffer): Promise<unknown> };
    const theirs = leaves(await parser.decode(writer.toBuffer()));
    const missing = leaves(wireValues(definition.response, message, version));
    for (const leaf of theirs) {
      const index = missing.indexOf(leaf);
      if (index >= 0) missing.splice(index, 1);
    }
    expect(missing).toEqual([]);
  });
});

describe('requests of KafkaJS, read by us', () => {
  it.each([3, 4, 5, 6, 7])('Produce v%i, with a batch that is valid', async (version) => {
    for (const compression of [0, 1]) {
      const messages = [
        { key: 'k0', value: 'value '.repeat(50), timestamp: '1700000000000', headers: { h: 'x' } },
        { key: 'k1', value: null, timestamp: '1700000000005' },
      ];
      const topicData = [{ topic: 't', partitions: [{ partition: 3, firstSequence: 7, messages }] }];
      const { buffer } = await theirRequest('produce', version, {
        acks: -1,
        timeout: 30,
        producerId: '9',
        producerEpoch: 2,
        compression,
        topicData,
      });
      const request = Produce.request.decode(new Reader(buffer), version);
      expect(request).toMatchObject({
        transactionalId: null,
        acks: -1,
        timeoutMs: 30,
        topicData: [{ name: 't', partitionData: [{ index: 3 }] }],
      });
      const batch = request.topicData[0]!.partitionData[0]!.records![0]!;
      const outcome = validateBatch(batch, 0, { fromClient: true, openCompressed: true });
      expect(outcome).toMatchObject({ ok: true });
      expect(readBatchHeader(batch, 0)).toMatchObject({ producerId: 9, producerEpoch: 2, baseSequence: 7, codec: compression });
      expect(
        [...iterateRecords(batch, 1 << 20)].map(({ timestamp, key, value }) => [timestamp, String(key), value && String(value)]),
      ).toEqual([
        [1_700_000_000_000, 'k0', 'value '.repeat(50)],
        [1_700_000_000_005, 'k1', null],
      ]);
    }
  });

  it.each([4, 5, 7, 9, 11])('Fetch v%i', async (version) => {
    const topics = [
      { topic: 't', partitions: [{ partition: 1, currentLeaderEpoch: 4, fetchOffset: '5', logStartOffset: '2', maxBytes: 6 }] },
    ];
    const given = { replicaId: -1, isolationLevel: 1, maxWaitTime: 7, minBytes: 8, maxBytes: 9, topics, rackId: version >= 11 ? 'r' : '' };
    const { buffer } = await theirRequest('fetch', version, given);
    const reader = new Reader(buffer);
    expect(Fetch.request.decode(reader, version)).toMatchObject({
      replicaId: -1,
      isolationLevel: 1,
      maxWaitMs: 7,
      minBytes: 8,
      maxBytes: 9,
      rackId: given.rackId,
      topics: [{ topic: 't', partitions: [{ partition: 1, fetchOffset: 5, partitionMaxBytes: 6 }] }],
    });
    expect(reader.remaining).toBe(0);
  });

  it.each([0, 1, 2, 3, 4, 5])('JoinGroup v%i', async (version) => {
    const given = { groupId: 'g', sessionTimeout: 1, rebalanceTimeout: 2, memberId: 'm', groupInstanceId: null, protocolType: 'consumer' };
    const { buffer } = await theirRequest('joinGroup', version, { ...given, groupProtocols: [{ name: 'p', metadata: Buffer.from('xy') }] });
    const reader = new Reader(buffer);
    expect(JoinGroup.request.decode(reader, version)).toMatchObject({
      groupId: 'g',
      sessionTimeoutMs: 1,
      rebalanceTimeoutMs: version === 0 ? -1 : 2,
      memberId: 'm',
      protocolType: 'consumer',
      protocols: [{ name: 'p', metadata: Buffer.from('xy') }],
    });
    expect(reader.remaining).toBe(0);
  });
});
