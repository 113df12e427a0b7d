/**
 * Real input through four implementations of everything: Debian's package index, produced by kcat with each codec and acks=all
 * into 6 partitions with 3 replicas, read back by a KafkaJS group of three and by kafka-python: the same records byte for byte,
 * each partition in the order of producing, offsets committed to the end.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { debianPackages } from '../support/debian-packages.ts';
import type { PackageRecord } from '../support/debian-packages.ts';
import { createTopic, endOffsets, untilNoLag, expectSameRecords, untilInSync } from '../support/expectations.ts';
import { kafkaJs, readWithKafkaJsGroup, registerKafkaJsCodecs } from '../support/kafka-js.ts';
import { readWithKafkaPython } from '../support/kafka-python.ts';
import { kcatProduce } from '../support/kcat.ts';
import { sharedCluster } from '../support/shared-cluster.ts';

/** kafka-python computes CRC-32C in Python, a byte at a time: it does for this slice. */
const CHECKED_RECORDS = 3_000;

const cluster = sharedCluster();
let packages: PackageRecord[] = [];

beforeAll(async () => {
  registerKafkaJsCodecs();
  packages = await debianPackages();
});

describe.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])('the Debian package index, compressed by kcat with %s', (codec) => {
  const topic = `packages-${codec}`;

  it('is acknowledged by all replicas', async () => {
    await createTopic(cluster.admin, topic);
    await kcatProduce(cluster.bootstrapServers, topic, packages, { acks: 'all', 'compression.codec': codec });
    const ends = await endOffsets(cluster.admin, topic);
    expect([...ends.values()].reduce((sum, end) => sum + end, 0)).toBe(packages.length);
    expect(Math.min(...ends.values())).toBeGreaterThan(packages.length / 12);
    // A replica that the machine has kept waiting is out of the ISR for a while.
    await untilInSync(cluster.admin, topic, 3);
  });

  it('is read back by a KafkaJS group of three', async () => {
    const groupId = `kafkajs-${codec}`;
    const { records, readByMember } = await readWithKafkaJsGroup(kafkaJs(cluster.brokers), {
      groupId,
      topic,
      members: 3,
      endOffsets: await endOffsets(cluster.admin, topic),
    });
    expectSameRecords(records, packages);
    expect(Math.min(...readByMember), 'every member has read').toBeGreaterThan(0);
    await untilNoLag(cluster.admin, groupId, topic);
  });

  it('is read back by kafka-python', async () => {
    const groupId = `kafka-python-${codec}`;
    expectSameRecords(await readWithKafkaPython(cluster.bootstrapServers, { topic, groupId, checkCrcs: false }), packages);
    await untilNoLag(cluster.admin, groupId, topic);
  });

  it('has checksums that kafka-python agrees with', async () => {
    const slice = packages.slice(0, CHECKED_RECORDS);
    await createTopic(cluster.admin, `${topic}-checked`, { partitions: 2 });
    await kcatProduce(cluster.bootstrapServers, `${topic}-checked`, slice, { acks: 'all', 'compression.codec': codec });
    expectSameRecords(
      await readWithKafkaPython(cluster.bootstrapServers, { topic: `${topic}-checked`, groupId: `crc-${codec}`, checkCrcs: true }),
      slice,
    );
  });
});
