/**
 * Local clusters made in the page: one with its own ZooKeeper that is stopped, started and deleted, and one on a ZooKeeper that runs elsewhere,
 * which is tried step by step before.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { ConsolePage } from './app.ts';
import { expect, test } from './fixtures.ts';
import { produceWithKcat } from './kafka.ts';
import { startZooKeeper } from './zookeeper-server.ts';

test.describe.configure({ mode: 'serial' });

const step = (page: Page, name: string, outcome: string) => page.locator(`[data-testid=step-${name}][data-outcome=${outcome}]`);

async function openDialog(page: Page, name: string): Promise<void> {
  await page.getByTestId('new-cluster').click();
  await page.getByTestId('cluster-name').fill(name);
  await page.getByTestId('cluster-brokers').fill('1');
}

async function bootstrapServersOn(page: Page): Promise<string> {
  const address = page.getByTestId('status-bar').getByText(/^localhost:\d+$/);
  return (await address.textContent()) ?? '';
}

test('makes a cluster, uses it, stops, starts and deletes it; the console’s own goes on', async ({ app: running, appPage }) => {
  const app = new ConsolePage(appPage);
  await openDialog(appPage, 'bad name');
  await expect(appPage.getByTestId('create-cluster-submit')).toBeDisabled();
  await appPage.getByTestId('cluster-name').fill('second');
  await appPage.getByTestId('create-cluster-submit').click();
  await expect(appPage).toHaveURL(/#\/c\/local-second\/overview/);
  await expect(app.clusterState).toContainText('second – Running');
  await produceWithKcat(await bootstrapServersOn(appPage), 'letters', ['a:1', 'b:2']);
  await app.goto('/c/local-second/topics');
  await expect(app.row('topics', 'letters')).toBeVisible();
  await app.goto('/c/local/topics');
  await expect(app.clusterState).toContainText('Local cluster – Running');
  await expect(app.row('topics', 'letters')).toHaveCount(0);

  await appPage.getByTestId('cluster-local-second').click();
  await appPage.getByTestId('stop-cluster').click();
  await expect(app.clusterState).toContainText('second – Stopped');
  await appPage.getByTestId('start-cluster').click();
  await expect(app.clusterState).toContainText('second – Running');
  await app.goto('/c/local-second/topics');
  await expect(app.row('topics', 'letters')).toBeVisible();

  // Another name, a second broker, which starts at once, and a setting, which the first takes over when it is restarted.
  await appPage.getByTestId('cluster-local-second').click();
  await appPage.getByTestId('edit-cluster').click();
  await expect(appPage.getByTestId('zookeeper-reason')).toBeVisible();
  await appPage.getByTestId('cluster-name').fill('Second try');
  await appPage.getByTestId('add-broker').click();
  await appPage.getByTestId('cluster-config').fill('num.io.threads=none');
  await appPage.getByTestId('edit-cluster-submit').click();
  await expect(appPage.getByTestId('edit-cluster-error')).toContainText('num.io.threads');
  await appPage.getByTestId('cluster-config').fill('num.io.threads=3');
  await appPage.getByTestId('edit-cluster-submit').click();
  await expect(appPage.getByTestId('edit-cluster-dialog')).toHaveCount(0);
  await expect(app.clusterState).toContainText('Second try – Running');
  await expect(appPage.getByTestId('card-broker-2').getByTestId('process-state')).toContainText('Running');
  await expect(appPage.getByTestId('card-broker-1')).toContainText('Restart to apply');

  await appPage.getByTestId('cluster-local-second').click();
  const folder = join(running.home.path, 'clusters', 'second');
  expect(existsSync(folder)).toBe(true);
  await appPage.getByTestId('remove-cluster').click();
  await appPage.getByTestId('confirm-run').click();
  await expect(appPage.getByTestId('cluster-local-second')).toHaveCount(0);
  await expect.poll(() => existsSync(folder)).toBe(false);
  await expect(appPage).toHaveURL(/#\/c\/local\/overview/);
  await expect(appPage.getByTestId('remove-cluster')).toBeDisabled();
});

test('tries a ZooKeeper that runs elsewhere step by step, and makes a cluster on it', async ({ appPage }) => {
  const app = new ConsolePage(appPage);
  const zookeeper = await startZooKeeper();
  try {
    await openDialog(appPage, 'guest');
    await appPage.getByTestId('zookeeper-external').check();
    const connect = appPage.getByTestId('zookeeper-connect');
    await expect(appPage.getByTestId('check-zookeeper')).toBeDisabled();
    await connect.fill('127.0.0.1:1/here');
    await appPage.getByTestId('check-zookeeper').click();
    await expect(step(appPage, 'connection', 'failed')).toContainText("127.0.0.1:1 can't be connected to");
    await connect.fill('no-such-host.invalid:2181');
    await appPage.getByTestId('check-zookeeper').click();
    await expect(step(appPage, 'host', 'failed')).toContainText('no-such-host.invalid:2181');
    await connect.fill(`${zookeeper.address}/here`);
    await appPage.getByTestId('check-zookeeper').click();
    await expect(step(appPage, 'server', 'ok')).toContainText('standalone');
    await expect(step(appPage, 'session', 'ok')).toBeVisible();
    await expect(step(appPage, 'chroot', 'ok')).toContainText('/here will be made');
    await appPage.getByTestId('create-cluster-submit').click();
    await expect(app.clusterState).toContainText('guest – Running');
    await expect(appPage.getByTestId('external-zookeeper-server')).toContainText(zookeeper.address);
    await produceWithKcat(await bootstrapServersOn(appPage), 'letters', ['a:1']);
    await app.goto('/c/local-guest/internals/zookeeper?path=/brokers/ids/1');
    await expect(appPage.getByTestId('znodes').locator('[data-path="/brokers/ids/1"]')).toBeVisible();

    // Another one in the same place would join it: that is said.
    await openDialog(appPage, 'intruder');
    await appPage.getByTestId('zookeeper-external').check();
    await appPage.getByTestId('zookeeper-connect').fill(`${zookeeper.address}/here`);
    await appPage.getByTestId('check-zookeeper').click();
    await expect(step(appPage, 'kafka', 'warning')).toContainText('brokers 1 are up');
    await appPage.keyboard.press('Escape');
    await app.goto('/c/local-guest/overview');
    await appPage.getByTestId('remove-cluster').click();
    await appPage.getByTestId('confirm-run').click();
    await expect(appPage.getByTestId('cluster-local-guest')).toHaveCount(0);
  } finally {
    await zookeeper.stop();
  }
});

test('a cluster whose ZooKeeper is not there says so', async ({ appPage }) => {
  const app = new ConsolePage(appPage);
  await openDialog(appPage, 'orphan');
  await appPage.getByTestId('zookeeper-external').check();
  await appPage.getByTestId('zookeeper-connect').fill('127.0.0.1:1/here');
  await appPage.getByTestId('create-cluster-submit').click();
  await expect(appPage.getByTestId('overview-state')).toContainText('no ZooKeeper at 127.0.0.1:1/here');
  await expect(app.clusterState).toContainText('orphan – Stopped');
  await appPage.getByTestId('remove-cluster').click();
  await appPage.getByTestId('confirm-run').click();
  await expect(appPage.getByTestId('cluster-local-orphan')).toHaveCount(0);
});
