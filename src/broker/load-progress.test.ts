import { expect, it } from 'vitest';
import { ManualTime } from '../runtime/testing/manual-time.ts';
import { LoadProgressReporter } from './load-progress.ts';

it('says nothing of a start that is over soon, and then how far it is twice a second', async () => {
  const time = new ManualTime();
  const told: string[] = [];
  const reporter = new LoadProgressReporter(time, (text) => told.push(text));
  for (let loadedLogs = 0; loadedLogs < 15; loadedLogs++) {
    reporter.report({ totalLogs: 110, loadedLogs, scannedBytes: loadedLogs * 100 * 1024 * 1024 });
    await time.advance(100);
  }
  expect(told).toEqual(['recovering logs: 5 of 110, 500.0 MiB scanned', 'recovering logs: 10 of 110, 1000.0 MiB scanned']);
});
