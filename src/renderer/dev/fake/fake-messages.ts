/** Records of a topic. */
import type { MessageRow } from '../../../console/contract/messages.ts';
import { LARGE_OFFSET, largeValue, messageAt } from './fake-model.ts';
import { os } from './fake-world.ts';
import type { FakeWorld } from './fake-world.ts';

export function fakeMessages(world: FakeWorld) {
  const { readers, open, next, topicOf, guard } = world;
  return {
    open: os.messages.open.handler(({ input }) => {
      guard('messages');
      const topic = topicOf(input.topic);
      const partitions = input.partitions ?? topic.ends.map((_, partition) => partition);
      const rows: MessageRow[] = [];
      for (const partition of partitions) {
        const end = topic.ends[partition] ?? 0;
        const share =
          input.seek.from === 'last' ? Math.ceil(input.seek.count / partitions.length) : Math.ceil(input.limit / partitions.length);
        const from =
          input.seek.from === 'last' ? Math.max(0, end - share) : input.seek.from === 'offset' ? Math.min(end, input.seek.offset) : 0;
        for (let offset = from; offset < Math.min(end, from + share); offset++)
          rows.push(messageAt(partition, offset, end, input.previewBytes));
      }
      return {
        readerId: open(rows),
        partitions: partitions.map((partition) => ({
          partition,
          startOffset: 0,
          endOffset: topic.ends[partition] ?? 0,
          fromOffset: 0,
          failure: null,
        })),
      };
    }),
    next: os.messages.next.handler(({ input }) => {
      const { rows, done } = next<MessageRow>(input.readerId, input.max);
      const read = readers.get(input.readerId);
      const passed = Math.min(read?.at ?? 0, read?.rows.length ?? 0);
      return {
        messages: rows,
        done,
        progress: { records: passed, bytes: passed * 143, offsetsPassed: passed, offsetsInScope: read?.rows.length ?? 0 },
        failures: [],
      };
    }),
    close: os.messages.close.handler(({ input }) => (readers.delete(input.readerId), null)),
    bytes: os.messages.bytes.handler(async ({ input }) => {
      await new Promise((resolve) => setTimeout(resolve, 60));
      const row = messageAt(input.partition, input.offset, input.offset + 1, 65_536);
      const whole = new TextEncoder().encode(
        input.offset === LARGE_OFFSET && input.part.of === 'value'
          ? largeValue()
          : ((input.part.of === 'key' ? row.key : row.value)?.data ?? ''),
      );
      return { sizeBytes: whole.length, position: input.position, bytes: whole.slice(input.position, input.position + input.length) };
    }),
  };
}
