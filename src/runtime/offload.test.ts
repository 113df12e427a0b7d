import { expect, test } from 'vitest';
import { InPlaceOffload, offloadModule } from './offload.ts';
import { MemoryDisk } from './testing/memory-disk.ts';

test("a task's module lies beside its caller in source, and among the programs of a build", () => {
  expect(offloadModule('file:///app/src/broker/log/x.ts', './y-worker.ts', 'y-worker').href).toBe('file:///app/src/broker/log/y-worker.ts');
  expect(offloadModule('file:///app/out/main/broker.js', './y-worker.ts', 'y-worker').href).toBe('file:///app/out/main/y-worker.js');
  expect(offloadModule('file:///app/out/main/chunks/log-abc.js', './y-worker.ts', 'y-worker').href).toBe(
    'file:///app/out/main/y-worker.js',
  );
});

test('in place, a task gets the disk it is run on; what it throws rejects', async () => {
  const disk = new MemoryDisk();
  disk.writeFile('/x', 'abc');
  const task = {
    name: 'size',
    module: new URL('file:///none'),
    inPlace: (path: string, on: { readFile(path: string): Buffer }) => on.readFile(path).length,
  };
  const offload = new InPlaceOffload(disk);
  expect(await offload.run(task, '/x')).toBe(3);
  await expect(offload.run(task, '/y')).rejects.toThrow(/ENOENT/);
});
