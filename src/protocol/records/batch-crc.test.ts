import fc from 'fast-check';
import { expect, test } from 'vitest';
import { batchCrc } from './batch-crc.ts';
import { crc32c } from './crc32c.ts';
import { ATTRIBUTES_OFFSET, MAGIC_OFFSET, RECORD_BATCH_OVERHEAD } from './record-batch.ts';

const batches = fc.uint8Array({ minLength: RECORD_BATCH_OVERHEAD, maxLength: 3000 }).map((bytes) => {
  const batch = Buffer.from(bytes);
  batch.fill(0, 0, 8);
  batch[MAGIC_OFFSET] = 2;
  return batch;
});

test('is the checksum of what is behind it in the batch, whose bytes stay', () => {
  fc.assert(
    fc.property(batches, (batch) => {
      const copy = Buffer.from(batch);
      expect(batchCrc(batch)).toBe(crc32c(copy.subarray(ATTRIBUTES_OFFSET)));
      expect(batch.equals(copy)).toBe(true);
    }),
  );
});
