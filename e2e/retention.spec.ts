/** Retention and compaction on a real cluster: what will go and why, then that it went; what the cleaner makes of a log, before and after. */
import { ConsolePage } from './app.ts';
import { expect, test } from './fixtures.ts';
import { produceWithKcat } from './kafka.ts';

test.describe.configure({ mode: 'serial' });

const topic = 'journal';
const compacted = 'latest';
/** One batch after another, some segments of them. */
const rounds = 6;
const lines = Array.from({ length: 20 }, (_, index) => `k${index % 4}:${'x'.repeat(60)} ${index}`);

async function create(app: ConsolePage, name: string): Promise<void> {
  await app.createTopic({ name, partitions: 1, replicationFactor: 1 });
  // The dialog goes to the new row when it is done.
  await expect(app.row('topics', name)).toBeVisible();
  await expect(app.page.getByTestId('create-topic-submit')).toHaveCount(0);
}

/** Filtered for: rows out of sight aren't drawn. */
async function configure(app: ConsolePage, name: string, key: string, value: string): Promise<void> {
  await app.goto(`/c/local/topics/${name}/configs?filter=${key}`);
  await app.setConfig(key, value);
  await expect(app.row('configs', key).locator('[data-column=source]')).toHaveText(/topic/i);
}

test('says which segments go by size, when by time, and which stay', async ({ app: running, appPage }) => {
  const app = new ConsolePage(appPage);
  await create(app, topic);
  await configure(app, topic, 'segment.bytes', '2000');
  // The next test sees what is still to be removed, however long it takes to get there.
  await configure(app, topic, 'file.delete.delay.ms', '3600000');
  for (let round = 0; round < rounds; round++) await produceWithKcat(running.bootstrapServers, topic, lines);
  await app.openTopic(topic, 'retention');
  await expect(app.page.getByTestId('policy')).toContainText('Old segments are deleted');
  const first = app.row('retention-segments', '0');
  await expect(first.locator('[data-column=byTime]')).toContainText(/in (7 d|6 d 23 h)/);
  await expect(first.locator('[data-column=bySize]')).toHaveText('–');
  await expect(first.locator('[data-column=next]')).toHaveText('stays');
  await expect(app.rows('retention-segments').last().locator('[data-column=next]')).toHaveText('active: appended to');

  await configure(app, topic, 'retention.bytes', '3000');
  await app.openTopic(topic, 'retention');
  await expect(first.locator('[data-column=next]')).toHaveText('goes at the next check: retention.bytes');
  await expect(app.rows('retention-segments').last().locator('[data-column=bySize]')).toContainText(/after .* more/);
});

test('shows what went, why, and which files are still there', async ({ appPage }) => {
  const app = new ConsolePage(appPage);
  await app.openTopic(topic, 'retention');
  const leader = (await app.rows('retention-replicas').first().getAttribute('data-key'))?.split('@')[1] ?? '';
  // A broker looks soon after its start, and then not again in a test's time (home.ts).
  await app.act(Number(leader), 'restart');
  await app.openTopic(topic, 'retention');
  await expect(app.rows('retention-deletions').first().locator('[data-column=reason]')).toHaveText('retention.bytes 3000');
  await expect(app.row('retention-segments', '0')).toHaveCount(0);
  await expect(app.rows('retention-leaving').first().locator('[data-column=removed]')).toContainText(/in \d+/);
  await expect(app.page.getByTestId('retention-logStartOffset')).not.toHaveText('0');
});

test('shows how dirty a compacted log is, and what a cleaning left of it', async ({ app: running, appPage }) => {
  const app = new ConsolePage(appPage);
  await create(app, compacted);
  await configure(app, compacted, 'segment.bytes', '2000');
  await configure(app, compacted, 'min.cleanable.dirty.ratio', '0.01');
  await configure(app, compacted, 'cleanup.policy', 'compact');
  for (let round = 0; round < rounds; round++) await produceWithKcat(running.bootstrapServers, compacted, lines);
  await app.openTopic(compacted, 'retention');
  await expect(app.page.getByTestId('policy')).toContainText('last record of each key');
  await expect(app.page.getByTestId('cleanable-below')).toContainText(/active segment|not on the device/);
  await expect(app.page.getByTestId('last-cleaning')).toContainText(/[\d,]+ → \d+ records/);
  await expect(app.rows('retention-segments').first().locator('[data-column=byTime]')).toHaveText('–');
});
