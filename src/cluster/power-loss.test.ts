import { expect, it } from 'vitest';
import { MemoryDisk } from '../runtime/testing/memory-disk.ts';
import { losePower } from './power-loss.ts';

const NAME = '00000000000000000000.log';

function setUp(log: { directory?: string; name?: string; syncedBytes?: number } = {}) {
  const { directory = '/data/broker-1/orders-0', name = NAME, syncedBytes = 4 } = log;
  const disk = new MemoryDisk({ nowMs: () => 0 }).process();
  for (const path of ['/data', '/data/broker-1', '/data/broker-1/orders-0', '/run']) disk.makeDirectory(path);
  disk.writeFile(`/data/broker-1/orders-0/${NAME}`, 'abcdefghij');
  const offsets = { recoveryPoint: 1, highWatermark: 2, logEndOffset: 3 };
  const logs = [{ topic: 'orders', partition: 0, directory, ...offsets, files: [{ name, sizeBytes: 9, syncedBytes }] }];
  disk.writeFile('/run/note.json', JSON.stringify({ brokerId: 1, atMs: 7, logs }));
  const content = (): string => disk.readFile(`/data/broker-1/orders-0/${NAME}`).toString();
  return { disk, content };
}

it('cuts a log file back to what was on the device, also what was written after the note’s size', () => {
  const { disk, content } = setUp();
  expect(losePower(disk, '/run/note.json', ['/data/broker-1'])).toEqual({
    brokerId: 1,
    atMs: 7,
    logs: [
      {
        topic: 'orders',
        partition: 0,
        recoveryPoint: 1,
        highWatermark: 2,
        logEndOffset: 3,
        lostBytes: 6,
        files: [{ name: NAME, sizeBytes: 10, keptBytes: 4 }],
      },
    ],
  });
  expect([content(), disk.exists('/run/note.json')]).toEqual(['abcd', false]);
});

it('never makes a file longer', () => {
  const { disk, content } = setUp({ syncedBytes: 50 });
  expect(losePower(disk, '/run/note.json', ['/data/broker-1']).logs[0]?.lostBytes).toBe(0);
  expect(content()).toBe('abcdefghij');
});

it.each([
  ['a folder of someone else', { directory: '/data/broker-2/orders-0' }],
  ['a way out of the folder', { directory: '/data/broker-1/../broker-2/orders-0' }],
  ['another file', { name: '../../x.log' }],
])('cuts nothing when the note names %s', (_what, log) => {
  const { disk, content } = setUp(log);
  expect(() => losePower(disk, '/run/note.json', ['/data/broker-1'])).toThrow('nothing was cut');
  expect(content()).toBe('abcdefghij');
});

it('says that nothing was cut when the broker ended without a note', () => {
  const { disk } = setUp();
  expect(() => losePower(disk, '/run/other.json', ['/data/broker-1'])).toThrow('nothing was cut');
});
