/**
 * The flush lab on a real cluster: settings hold at once, a load moves the numbers, a kill keeps what was written, a power loss takes what was
 * not synced and the leader gives it back; and a topic with one replica loses it for good.
 */
import type { Locator } from '@playwright/test';
import { ConsolePage } from './app.ts';
import { expect, test } from './fixtures.ts';
import { produceWithKcat } from './kafka.ts';

test.describe.configure({ mode: 'serial' });

const topic = 'lab';
const lonely = 'lonely';
const lines = Array.from({ length: 40 }, (_, index) => `k${index}:value number ${index}`);

async function setSetting(app: ConsolePage, name: string, value: string): Promise<Locator> {
  const row = app.page.getByTestId('flush-settings').locator(`[data-setting="${name}"]`);
  await row.getByTestId('flush-edit').click();
  await row.getByTestId('flush-input').fill(value);
  await row.getByTestId('flush-save').click();
  return row;
}

test('shows what of a topic is at risk, and how a setting changes that at once', async ({ app: running, appPage }) => {
  const app = new ConsolePage(appPage);
  await app.createTopic({ name: topic, partitions: 1, replicationFactor: 3 });
  await produceWithKcat(running.bootstrapServers, topic, lines);
  await app.openTopic(topic, 'flush');
  for (const id of [1, 2, 3]) {
    await expect(app.cell('flush-replicas', `0@${id}`, 'logEndOffset')).toHaveText('40');
    await expect(app.cell('flush-replicas', `0@${id}`, 'recoveryPoint')).toHaveText('0');
    await expect(app.cell('flush-replicas', `0@${id}`, 'atRisk')).toHaveText('40');
  }
  const row = await setSetting(app, 'flush.messages', '1');
  await expect(row.getByTestId('flush-value')).toHaveText('1');
  await produceWithKcat(running.bootstrapServers, topic, lines);
  for (const id of [1, 2, 3]) {
    await expect(app.cell('flush-replicas', `0@${id}`, 'recoveryPoint')).toHaveText('80');
    await expect(app.cell('flush-replicas', `0@${id}`, 'atRisk')).toHaveText('0');
    await expect(app.cell('flush-replicas', `0@${id}`, 'why')).toHaveText('flush.messages');
  }
});

test('runs a load that ends by itself, or when it is stopped, and the numbers move', async ({ appPage }) => {
  const app = new ConsolePage(appPage);
  await app.openTopic(topic, 'flush');
  const status = app.page.getByTestId('load-status');
  await app.page.getByTestId('load-rate').fill('100');
  await app.page.getByTestId('load-seconds').fill('3');
  await app.page.getByTestId('load-start').click();
  await expect(status).toContainText('ended');
  await expect(status).toContainText(/[1-9]\d* acknowledged/);
  const end = async (): Promise<number> =>
    Number((await app.cell('flush-replicas', '0@1', 'logEndOffset').innerText()).replaceAll(',', ''));
  await expect.poll(end).toBeGreaterThan(80);
  // A slow machine may have done less than was asked for, and counts what it held back.
  const acknowledged = Number(/(\d+) acknowledged/.exec(await status.innerText())?.[1]);
  await expect.poll(end).toBeGreaterThanOrEqual(80 + acknowledged);
  await app.page.getByTestId('load-seconds').fill('300');
  await app.page.getByTestId('load-start').click();
  await expect(status).toContainText('left');
  await app.page.getByTestId('load-stop').click();
  await expect(status).toContainText('ended');
});

test('takes a setting away again, and shows that a kill −9 loses nothing', async ({ app: running, appPage }) => {
  const app = new ConsolePage(appPage);
  await app.openTopic(topic, 'flush');
  const row = app.page.getByTestId('flush-settings').locator('[data-setting="flush.messages"]');
  await row.getByTestId('flush-reset').click();
  await expect(row.getByTestId('flush-value')).toHaveText('never');
  await produceWithKcat(running.bootstrapServers, topic, lines);
  await expect(app.cell('flush-replicas', '0@1', 'atRisk')).toHaveText('40');
  await app.page.getByTestId('lab-broker-1').getByTestId('lab-kill').click();
  await app.page.getByTestId('confirm-run').click();
  await app.page.getByTestId('lab-broker-1').getByTestId('lab-start').click();
  await expect(app.page.getByTestId('experiment-1')).toHaveAttribute('data-verdict', 'kept');
  await expect(app.cell('recovery-1', '0', 'gone')).toHaveText('0');
  await expect(app.page.getByTestId('experiment-1')).toContainText('the kernel had all that was written');
});

test('shows what a power loss takes of one broker, and that its leader gives it back', async ({ app: running, appPage }) => {
  const app = new ConsolePage(appPage);
  await app.openTopic(topic, 'flush');
  await produceWithKcat(running.bootstrapServers, topic, lines);
  await app.page.getByTestId('lab-broker-2').getByTestId('lab-power-loss').click();
  await app.page.getByTestId('confirm-run').click();
  await app.page.getByTestId('lab-broker-2').getByTestId('lab-start').click();
  await expect(app.page.getByTestId('experiment-2')).toHaveAttribute('data-verdict', 'cameBack');
  await expect(app.cell('recovery-2', '0', 'gone')).toHaveText(/^[1-9]\d*$/);
  await expect(app.page.getByTestId('lesson').first()).toContainText('given them back');
});

test('shows that a topic with one replica has lost it for good', async ({ app: running, appPage }) => {
  const app = new ConsolePage(appPage);
  await app.createTopic({ name: lonely, partitions: 1, replicationFactor: 1 });
  await produceWithKcat(running.bootstrapServers, lonely, lines);
  await app.openTopic(lonely, 'flush');
  const only = app.rows('flush-replicas').first();
  await expect(only.locator('[data-column=atRisk]')).toHaveText('40');
  const id = (await only.getAttribute('data-key'))?.split('@')[1] ?? '';
  await app.page.getByTestId(`lab-broker-${id}`).getByTestId('lab-power-loss').click();
  await app.page.getByTestId('confirm-run').click();
  await app.page.getByTestId(`lab-broker-${id}`).getByTestId('lab-start').click();
  await expect(app.page.getByTestId(`experiment-${id}`)).toHaveAttribute('data-verdict', 'gone');
  await expect(app.cell(`recovery-${id}`, '0', 'gone')).toHaveText('40');
  await expect(app.cell('flush-replicas', `0@${id}`, 'logEndOffset')).toHaveText('0');
});

test('restarts the brokers for a setting that they read at their start', async ({ appPage }) => {
  const app = new ConsolePage(appPage);
  await app.openTopic(topic, 'flush');
  const row = await setSetting(app, 'log.flush.offset.checkpoint.interval.ms', '2000');
  await expect(app.page.getByTestId('confirm-items')).toContainText('Broker 3');
  await app.page.getByTestId('confirm-run').click();
  await expect(row.getByTestId('flush-value')).toHaveText('2 s');
});
