/** Partition actions on a running cluster: a move to another broker, throttled ones with their bytes, the preferred leader after a restart, and a frozen follower on the replication page. */
import { ConsolePage } from './app.ts';
import { expect, test } from './fixtures.ts';
import { produceWithKcat } from './kafka.ts';

test.describe.configure({ mode: 'serial' });

const topic = 'moved';
const lines = Array.from({ length: 200 }, (_, index) => `k${index}:value number ${index}`);

test('moves a partition to another broker, to its end', async ({ app: running, appPage }) => {
  const app = new ConsolePage(appPage);
  await app.createTopic({ name: topic, partitions: 1, replicationFactor: 2 });
  await produceWithKcat(running.bootstrapServers, topic, lines);
  await app.openTopic(topic, 'partitions');
  const row = app.row('partitions', '0');
  await row.getByRole('checkbox').check();
  await appPage.getByTestId('reassign').click();
  const before = (await appPage.getByTestId('move-0').locator('td').nth(1).textContent()) ?? '';
  const [first, second] = before.split(',').map(Number);
  const free = [1, 2, 3].find((id) => id !== first && id !== second);
  await appPage.getByTestId('target-factor').fill('2');
  await appPage.getByTestId(`target-${second}`).uncheck();
  await appPage.getByTestId('plan-moves').click();
  await expect(appPage.getByTestId('move-0').getByTestId('move-replicas')).toHaveValue(`${first}, ${free}`);
  await appPage.getByTestId('start-moves').click();
  await expect(app.cell('partitions', '0', 'replicas')).toHaveText(`${first}${free}`);
  await expect(appPage.getByTestId('moving')).toHaveCount(0);
});

test('shows on the replication page how a frozen follower falls behind, and that it comes back', async ({ app: running, appPage }) => {
  const app = new ConsolePage(appPage);
  await app.openTopic(topic, 'replication');
  const isr = appPage.getByTestId('replication-0');
  await expect(isr).toContainText('leader ');
  // Who follows is told by what the leader says of it, which may come later.
  await expect(isr).toContainText('in sync');
  const replicas = await isr.locator('[data-testid^=replica-0-]').all();
  const roles = await Promise.all(replicas.map(async (one) => [await one.getAttribute('data-testid'), await one.textContent()] as const));
  const follower = Number(roles.find(([, text]) => text?.includes('in sync'))?.[0]?.split('-')[2]);
  await app.act(follower, 'freeze');
  await expect(app.row('brokers', String(follower))).toContainText(/frozen/i);
  await app.openTopic(topic, 'replication');
  const line = appPage.getByTestId(`replica-0-${follower}`);
  const leader = roles.find(([, text]) => text?.includes('leader'))?.[0]?.split('-')[2];
  // With acks=all it waits for the frozen follower, until that is back or out of the ISR.
  const produced = produceWithKcat(running.bootstrapServers, topic, lines);
  await expect(line).toHaveAttribute('data-lag', '200');
  await expect(line).toContainText('does not answer');
  await expect(appPage.getByTestId(`replica-0-${leader}`)).toContainText('400');
  await app.act(follower, 'thaw');
  await app.openTopic(topic, 'replication');
  await expect(line).toContainText('caught up');
  await expect(line).toContainText('fetching');
  await produced;
});

test('elects the preferred leader after its restart', async ({ appPage }) => {
  const app = new ConsolePage(appPage);
  await app.openTopic(topic, 'partitions');
  const cell = app.cell('partitions', '0', 'leader');
  await expect(cell).toHaveText(/^\d$/);
  const preferred = (await cell.textContent()) ?? '';
  await app.act(Number(preferred), 'kill');
  await app.openTopic(topic, 'partitions');
  await expect(cell).not.toHaveText(preferred);
  await app.act(Number(preferred), 'start');
  await app.openTopic(topic, 'partitions');
  await expect(app.cell('partitions', '0', 'isr')).toContainText(preferred);
  await app.row('partitions', '0').getByRole('checkbox').check();
  await appPage.getByTestId('elect-preferred').click();
  await appPage.getByTestId('confirm-run').click();
  await expect(cell).toHaveText(preferred);
});

const slow = 'slow';

/** Moves the only partition of `slow` from where it is to another broker; returns both. */
async function moveSlow(app: ConsolePage, throttle: string): Promise<{ readonly from: number; readonly to: number }> {
  const { page } = app;
  await app.openTopic(slow, 'partitions');
  await expect(app.cell('partitions', '0', 'leader')).toHaveText(/^\d$/);
  const from = Number(await app.cell('partitions', '0', 'leader').textContent());
  const to = from === 1 ? 2 : 1;
  await app.row('partitions', '0').getByRole('checkbox').check();
  await page.getByTestId('reassign').click();
  await page.getByTestId('move-0').getByTestId('move-replicas').fill(String(to));
  await page.getByTestId('throttle').fill('fast');
  await expect(page.getByTestId('start-moves')).toBeDisabled();
  await page.getByTestId('throttle').fill(throttle);
  await page.getByTestId('start-moves').click();
  return { from, to };
}

test('holds a move to its throttle, tells its bytes, and leaves no throttle behind', async ({ app: running, appPage }) => {
  const app = new ConsolePage(appPage);
  await app.createTopic({ name: slow, partitions: 1, replicationFactor: 1 });
  const filling = Array.from({ length: 8_000 }, (_, index) => `k${index}:${'x'.repeat(1_000)}`);
  await produceWithKcat(running.bootstrapServers, slow, filling);
  const { to } = await moveSlow(app, '80 KiB/s');
  await expect(appPage.getByTestId('move-throttle')).toContainText('Throttled to 80.0 KiB/s');
  await expect(appPage.getByTestId('move-progress')).toContainText(/[KM]iB of 7\.\d MiB \(\d+ %\) · \d.*\/s, about \d+.* left/);
  await appPage.getByTestId('new-throttle').fill('100 MB/s');
  await appPage.getByTestId('set-throttle').click();
  await expect(appPage.getByTestId('moving')).toHaveCount(0);
  await expect(app.cell('partitions', '0', 'replicas')).toHaveText(String(to));
  await app.openTopic(slow, 'configs');
  for (const side of ['leader', 'follower'])
    await expect(app.cell('configs', `${side}.replication.throttled.replicas`, 'source')).toHaveText(/default/i);
});

test('a cancelled move takes its throttle along, and one that was left behind is found', async ({ appPage }) => {
  const app = new ConsolePage(appPage);
  const { from } = await moveSlow(app, '50000');
  await appPage.getByTestId('cancel-move').click();
  await appPage.getByTestId('confirm-run').click();
  await expect(appPage.getByTestId('moving')).toHaveCount(0);
  await expect(app.cell('partitions', '0', 'replicas')).toHaveText(String(from));
  await expect(appPage.getByTestId('move-throttle')).toHaveCount(0);
  await app.openTopic(slow, 'configs');
  await app.setConfig('leader.replication.throttled.replicas', '0:1,0:2');
  await app.openTopic(slow, 'partitions');
  await expect(appPage.getByTestId('move-throttle')).toContainText('left behind on 2 replicas');
  await appPage.getByTestId('remove-throttle').click();
  await expect(appPage.getByTestId('move-throttle')).toHaveCount(0);
});
