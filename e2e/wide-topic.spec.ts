/** A topic with more partitions than are asked for, drawn or read at once: the replication page and the ZooKeeper tree reach its last one. */
import { ConsolePage } from './app.ts';
import { expect, test } from './fixtures.ts';

const LAST = 599;

test('reaches the last of many partitions, and of many znodes, with few of them drawn', async ({ appPage }) => {
  const app = new ConsolePage(appPage);
  await app.createTopic({ name: 'wide', partitions: LAST + 1, replicationFactor: 1 });
  await expect(app.row('topics', 'wide')).toBeVisible();
  await app.openTopic('wide', 'replication');
  const panels = appPage.locator('[data-testid^=replication-]');
  await expect(appPage.getByTestId('replication-0')).toContainText('leader');
  const scroller = appPage.getByTestId('replication');
  await scroller.evaluate((element) => (element.scrollTop = element.scrollHeight));
  await expect(appPage.getByTestId(`replication-${LAST}`)).toContainText('leader');
  expect(await panels.count()).toBeLessThan(40);
  await scroller.evaluate((element) => (element.scrollTop = 0));
  await expect(appPage.getByTestId('replication-0')).toContainText('leader');

  const parent = '/brokers/topics/wide/partitions';
  await app.goto(`/c/local/internals/zookeeper?path=${parent}/0`);
  const tree = appPage.getByTestId('znodes');
  await expect(tree.locator(`[data-path="${parent}/0"]`)).toBeVisible();
  await expect(async () => {
    await tree.evaluate((element) => (element.scrollTop = element.scrollHeight));
    await expect(tree.locator(`[data-path="${parent}/${LAST}"]`)).toBeVisible({ timeout: 3_000 });
  }).toPass();
  expect(await tree.locator('[role=treeitem]').count()).toBeLessThan(80);
});

test('the flush lab counts all replicas and shows the first of each broker', async ({ appPage }) => {
  const app = new ConsolePage(appPage);
  // 600 partitions of three replicas: 600 on each broker.
  await app.createTopic({ name: 'wide-lab', partitions: LAST + 1, replicationFactor: 3 });
  await expect(app.row('topics', 'wide-lab')).toBeVisible();
  await app.openTopic('wide-lab', 'flush');
  await expect(appPage.getByTestId('lab-replicas-left-out')).toHaveText(/^900 of 1,800/);
});
