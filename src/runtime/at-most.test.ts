import { expect, test } from 'vitest';
import { AtMost } from './at-most.ts';

test('runs so many at a time, in order, and goes on after a failure', async () => {
  const gate = new AtMost(2);
  const begun: number[] = [];
  const work = Array.from({ length: 5 }, () => Promise.withResolvers<number>());
  const results = work.map(({ promise }, index) =>
    gate.run(() => {
      begun.push(index);
      return promise;
    }),
  );
  expect(begun).toEqual([0, 1]);
  work[1]?.reject(new Error('no'));
  await expect(results[1]).rejects.toThrow('no');
  await expect.poll(() => begun).toEqual([0, 1, 2]);
  work[0]?.resolve(0);
  work[2]?.resolve(2);
  await expect.poll(() => begun).toEqual([0, 1, 2, 3, 4]);
  work[3]?.resolve(3);
  work[4]?.resolve(4);
  expect(await Promise.all([results[0], results[2], results[3], results[4]])).toEqual([0, 2, 3, 4]);
});
