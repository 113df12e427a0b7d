/**
 * The segment browser on a real cluster's files: the map, a segment opened into batches and records, an index whose entries lead to their batches, look-ups by
 * offset and time, from a message to its place, internal topics decoded; and all of it on a broker that was killed, with a torn tail.
 */
import { appendFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ConsolePage } from './app.ts';
import { expect, test } from './fixtures.ts';
import { kafkaJs, startGroup } from './kafka.ts';

test.describe.configure({ mode: 'serial' });

const topic = 'on-disk';
const BATCHES = 300;
const RECORDS_A_BATCH = 10;
const T = 1_700_000_000_000;
const groupId = 'segment-readers';

test.beforeAll(async ({ app }) => {
  const kafka = kafkaJs(app.bootstrapServers);
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({
    timeout: 30_000,
    topics: [
      {
        topic,
        numPartitions: 1,
        replicationFactor: 1,
        configEntries: [
          { name: 'segment.bytes', value: '100000' },
          { name: 'index.interval.bytes', value: '2000' },
          // The records are of 2023.
          { name: 'retention.ms', value: '-1' },
        ],
      },
    ],
  });
  await admin.disconnect();
  const producer = kafka.producer();
  await producer.connect();
  for (let batch = 0; batch < BATCHES; batch++) {
    const messages = Array.from({ length: RECORDS_A_BATCH }, (_, at) => {
      const offset = batch * RECORDS_A_BATCH + at;
      return { key: `key ${offset}`, value: `value ${offset} `.padEnd(100, 'x'), timestamp: String(T + offset * 1000) };
    });
    await producer.send({ topic, messages });
  }
  await producer.disconnect();
});

test('shows the segments of a partition on a map, and opens one into batches and records', async ({ appPage }) => {
  const app = new ConsolePage(appPage);
  await app.openTopic(topic, 'segments');
  await expect(appPage.getByTestId('segment-map')).toContainText('Log end');
  await expect(appPage.getByTestId('segment-map')).toContainText(/3,000/);
  await expect(app.rows('segments').nth(2)).toBeVisible();
  await app.rows('segments').nth(1).click();
  await expect(app.rows('batches').first()).toBeVisible();
  expect(new URL(appPage.url()).hash).toMatch(/segment=\d+/);
  await expect(app.cell('batches', '0', 'crc')).toHaveText(/^[0-9a-f]{8}$/);
  await app.cell('batches', '0', 'records').getByRole('button').click();
  await expect(app.rows('batch-records').first()).toContainText(/value \d+/);
  // The address holds it all: a reload shows the same.
  await appPage.reload();
  await expect(app.rows('batch-records').first()).toContainText(/value \d+/);
});

test('reads on through a segment of many batches as one scrolls', async ({ app: running, appPage }) => {
  const kafka = kafkaJs(running.bootstrapServers);
  const producer = kafka.producer();
  await producer.connect();
  for (let sent = 0; sent < 1_100; sent++)
    await producer.send({ topic: 'many-batches', messages: [{ value: `value ${sent}`, partition: 0 }] });
  await producer.disconnect();
  const app = new ConsolePage(appPage);
  await app.goto('/c/local/topics/many-batches/segments?replica=0&segment=0');
  await expect(app.grid('batches')).toHaveAttribute('aria-rowcount', '501');
  await app.rows('batches').first().hover();
  await expect
    .poll(async () => {
      await appPage.mouse.wheel(0, 100_000);
      return app.grid('batches').getAttribute('aria-rowcount');
    })
    .toBe('1101');
});

test('opens an index, whose entries lead to their batches, and the checkpoints', async ({ appPage }) => {
  const app = new ConsolePage(appPage);
  await app.openTopic(topic, 'segments');
  await app.cell('files', '00000000000000000000.index', 'name').getByRole('button').click();
  await expect(app.grid('file')).toHaveAttribute('aria-rowcount', /^[3-9]\d$/);
  const entry = app.rows('file').first();
  const [offset, position] = await Promise.all(
    ['offset', 'position'].map((column) => entry.locator(`[data-column="${column}"]`).innerText()),
  );
  await entry.locator('[data-column="position"]').getByRole('button').click();
  await expect(appPage.getByText(`Records of the batch at ${position}`)).toBeVisible();
  // The entry has the last offset of the batch at its position.
  await expect(app.rows('batch-records').last()).toContainText(`value ${(offset ?? '').replaceAll(',', '')}`);
  await appPage.getByTestId('show-files').click();
  await expect(app.row('files', '00000000000000000000.index')).toBeVisible();
  // By their address: a small window has no room for all rows of the list.
  await app.goto(`/c/local/topics/${topic}/segments?file=leader-epoch-checkpoint`);
  await expect(app.rows('file')).toHaveCount(1);
  await app.goto(`/c/local/topics/${topic}/segments?file=dir:meta.properties`);
  await expect(app.grid('file')).toContainText('broker.id');
});

test('walks the look-up of an offset step by step', async ({ appPage }) => {
  const app = new ConsolePage(appPage);
  await app.openTopic(topic, 'segments');
  await appPage.getByTestId('look-up').click();
  await appPage.getByTestId('lookup-target').fill('2345');
  await appPage.getByTestId('lookup-run').click();
  await expect(appPage.getByTestId('lookup-segment')).toContainText(/is the last whose base offset/);
  await expect(appPage.getByTestId('lookup-index-offset')).toContainText(/Binary search in \d+ entries/);
  await expect(appPage.getByTestId('lookup-scan')).toContainText('holds it');
  await expect(appPage.getByTestId('lookup-offset')).toHaveText('2,345');
  await expect(appPage.getByTestId('lookup-found')).toContainText('value 2345');
  await appPage.getByTestId('lookup-open-batch').click();
  await expect(app.rows('batch-records').nth(5)).toContainText('value 2345');
});

test('walks the look-up of a time, and says what it finds behind the end', async ({ appPage }) => {
  const app = new ConsolePage(appPage);
  await app.goto(`/c/local/topics/${topic}/segments?lookup=time:${T + 1_234_500}`);
  await expect(appPage.getByTestId('lookup-index-time')).toContainText(/Binary search/);
  await expect(appPage.getByTestId('lookup-offset')).toHaveText('1,235');
  await appPage.getByTestId('lookup-by-offset').click();
  await appPage.getByTestId('lookup-target').fill('999999');
  await appPage.getByTestId('lookup-run').click();
  await expect(appPage.getByTestId('lookup-found')).toContainText('the log ends before this offset');
  await appPage.getByTestId('lookup-target').fill('one');
  await expect(appPage.getByTestId('lookup')).toContainText('An offset is a whole number');
});

test('goes from a message to its place on the disk', async ({ appPage }) => {
  const app = new ConsolePage(appPage);
  await app.openTopic(topic);
  await app.rows('messages').first().click();
  await appPage.getByTestId('message-on-disk').click();
  await expect(appPage.getByTestId('lookup-offset')).toHaveText('2,999');
});

test('tells what the records of the offsets topic say', async ({ app: running, appPage }) => {
  const group = await startGroup(running.bootstrapServers, groupId, topic);
  // The group's metadata and its first commits are written by then.
  await expect.poll(() => group.received.length).toBeGreaterThan(RECORDS_A_BATCH);
  await group.stop();
  const app = new ConsolePage(appPage);
  await app.goto(`/c/local/topics/__consumer_offsets/segments?replica=${partitionOfGroup(groupId)}&segment=0&batch=0`);
  await expect(app.rows('batch-records').first()).toContainText(`"group":"${groupId}"`);
  await app.rows('batch-records').first().click();
  await expect(appPage.getByTestId('decoded')).toContainText(groupId);
});

test('shows the files of a broker that was killed, and where their tail is torn', async ({ appPage }) => {
  const app = new ConsolePage(appPage);
  await app.openTopic(topic, 'segments');
  const path = await appPage.getByTestId('replica-path').innerText();
  const brokerId = Number(/broker-(\d+)/.exec(path)?.[1]);
  await app.act(brokerId, 'kill');
  await expect(app.row('brokers', String(brokerId))).not.toContainText(/running/i);
  // As a write leaves it that the kill has cut through.
  const active =
    readdirSync(path)
      .filter((name) => name.endsWith('.log'))
      .toSorted()
      .at(-1) ?? '';
  appendFileSync(join(path, active), Buffer.alloc(40, 1));
  await app.goto(`/c/local/topics/${topic}/segments?segment=${Number(active.slice(0, 20))}`);
  await expect(appPage.getByTestId('broker-stopped')).toBeVisible();
  await expect(appPage.getByTestId('torn')).toContainText(/The last 40 B .* are no whole batch/);
  await expect(app.rows('batches').first()).toBeVisible();
  await app.act(brokerId, 'start');
  await expect(app.row('brokers', String(brokerId))).toContainText(/running/i);
  await app.goto(`/c/local/topics/${topic}/segments?segment=${Number(active.slice(0, 20))}`);
  await expect(app.rows('batches').first()).toBeVisible();
  // Recovery has cut it off.
  await expect(appPage.getByTestId('torn')).toHaveCount(0);
});

/** Java's hash of the id, made positive, over the 50 partitions that the offsets topic has. */
function partitionOfGroup(id: string): number {
  let hash = 0;
  for (const char of id) hash = (Math.imul(hash, 31) + (char.codePointAt(0) ?? 0)) | 0;
  return (hash & 0x7fff_ffff) % 50;
}
