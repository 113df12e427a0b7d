/** Files of a replica. */
import { partitionsOf } from './fake-model.ts';
import { os } from './fake-world.ts';
import type { FakeWorld } from './fake-world.ts';

export function fakeSegments(world: FakeWorld) {
  const { cluster, topicOf } = world;
  return {
    replicas: os.segments.replicas.handler(({ input }) =>
      partitionsOf(cluster, topicOf(input.topic)).flatMap((row) =>
        row.replicas.map((brokerId) => ({
          partition: row.partition,
          brokerId,
          path: `/home/ada/.local/share/samsa/local/broker-${brokerId}/data/${input.topic}-${row.partition}`,
          role: row.leader === brokerId ? ('leader' as const) : ('follower' as const),
          inSync: row.isr.includes(brokerId),
          onDisk: true,
          sizeBytes: row.sizeBytes,
          segments: 3,
        })),
      ),
    ),
    contents: os.segments.contents.handler(({ input }) => {
      const end = topicOf(input.topic).ends[input.partition] ?? 0;
      const bases = end === 0 ? [0] : [0, Math.floor(end / 3), Math.floor((2 * end) / 3)];
      const name = (base: number, ending: string): string => `${String(base).padStart(20, '0')}.${ending}`;
      const modifiedAtMs = Date.now() - 90_000;
      const size = Math.floor(end / bases.length) * 143;
      return {
        path: `/home/ada/.local/share/samsa/local/broker-${input.brokerId}/data/${input.topic}-${input.partition}`,
        logDir: `/home/ada/.local/share/samsa/local/broker-${input.brokerId}/data`,
        brokerRuns: true,
        marks: { logStartOffset: 0, recoveryPoint: Math.floor(end / 2), highWatermark: end, asOfMs: modifiedAtMs },
        logDirFiles: [
          { name: 'meta.properties', kind: 'metaProperties' as const, baseOffset: null, sizeBytes: 90, modifiedAtMs },
          { name: 'recovery-point-offset-checkpoint', kind: 'offsetCheckpoint' as const, baseOffset: null, sizeBytes: 700, modifiedAtMs },
        ],
        segments: bases.map((baseOffset, index) => ({
          baseOffset,
          file: name(baseOffset, 'log'),
          sizeBytes: size,
          preallocatedBytes: 0,
          indexBytes: 1024,
          timeIndexBytes: 1536,
          firstOffset: end === 0 ? null : baseOffset,
          lastOffset: end === 0 ? null : (bases[index + 1] ?? end) - 1,
          modifiedAtMs,
          active: index === bases.length - 1,
        })),
        files: [
          ...bases.flatMap((base) => [
            { name: name(base, 'log'), kind: 'log' as const, baseOffset: base, sizeBytes: size, modifiedAtMs },
            { name: name(base, 'index'), kind: 'index' as const, baseOffset: base, sizeBytes: 10_485_760, modifiedAtMs },
            { name: name(base, 'timeindex'), kind: 'timeindex' as const, baseOffset: base, sizeBytes: 10_485_756, modifiedAtMs },
          ]),
          { name: 'leader-epoch-checkpoint', kind: 'leaderEpochCheckpoint' as const, baseOffset: null, sizeBytes: 8, modifiedAtMs },
          { name: 'partition.metadata', kind: 'partitionMetadata' as const, baseOffset: null, sizeBytes: 43, modifiedAtMs },
        ],
      };
    }),
    batches: os.segments.batches.handler(({ input }) => {
      const first = input.position / 1843;
      const batches = Array.from({ length: Math.min(input.max, 900 - first) }, (_, index) => ({
        position: (first + index) * 1843,
        sizeBytes: 1843,
        baseOffset: input.baseOffset + (first + index) * 10,
        lastOffset: input.baseOffset + (first + index) * 10 + 9,
        records: 10,
        baseTimestampMs: Date.now() - 1e7 + index * 1000,
        maxTimestampMs: Date.now() - 1e7 + index * 1000 + 900,
        timestampType: 'CreateTime' as const,
        codec: 'zstd' as const,
        leaderEpoch: 0,
        magic: 2,
        crc: (index * 2_654_435_761) >>> 0,
        crcValid: index !== 13,
        producerId: null,
        producerEpoch: null,
        baseSequence: null,
        transactional: false,
        control: false,
      }));
      const end = (first + batches.length) * 1843;
      return {
        batches,
        nextPosition: first + batches.length >= 900 ? null : end,
        torn:
          first + batches.length >= 900
            ? { position: end, reason: '61 bytes are left, a batch has at least 61', bytes: 61, isPreallocated: false }
            : null,
      };
    }),
    records: os.segments.records.handler(() => ({ records: [], more: false })),
    file: os.segments.file.handler(({ input }) => {
      const total = 900;
      const rows = Array.from({ length: Math.min(input.max, total - input.from) }, (_, index) => {
        const slot = input.from + index;
        return [slot, slot * 30 + 29, slot * 5529];
      });
      return {
        sizeBytes: 7200,
        fields: ['slot', 'offset', 'position'] as const,
        rows,
        from: input.from,
        total,
        zeroEntries: 0,
        problem: null,
      };
    }),
    lookup: os.segments.lookup.handler(({ input }) => {
      const batch = { position: 1843, sizeBytes: 1843, baseOffset: 10, lastOffset: 19, maxTimestampMs: Date.now() - 1e6, records: 10 };
      return {
        by: input.by,
        target: input.target,
        segmentCount: 3,
        firstOffset: 0,
        nextBaseOffset: 9000,
        logStartOffset: 0,
        segmentTimes: [],
        segmentTimesCount: 0,
        segments: [
          {
            baseOffset: 0,
            indexes: [{ kind: 'offset' as const, target: input.target, entries: 0, probes: [], found: null }],
            scanFrom: 0,
            scanned: [batch],
            scannedCount: 1,
            damage: null,
          },
        ],
        found: { segment: 0, batch, record: null, recordError: null },
      };
    }),
  };
}
