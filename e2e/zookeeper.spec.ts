/** The ZooKeeper page on a running cluster: a broker's node with its JSON and its session, and that it goes when the broker is killed. */
import { ConsolePage } from './app.ts';
import { expect, test } from './fixtures.ts';

test('shows a broker’s node and session, and that both go when it is killed', async ({ appPage }) => {
  const app = new ConsolePage(appPage);
  await appPage.getByTestId('nav-internals').click();
  const node = (path: string) => appPage.getByTestId('znodes').locator(`[data-path="${path}"]`);
  await node('/brokers').dblclick();
  await node('/brokers/ids').dblclick();
  await node('/brokers/ids/1').click();
  await expect(appPage.getByTestId('znode-path')).toHaveText('/brokers/ids/1');
  await expect(appPage.getByTestId('code')).toContainText('listener_security_protocol_map');
  await expect(appPage.getByTestId('znode-owner')).toContainText('Broker 1');
  await appPage.getByTestId('tab-sessions').click();
  await expect(app.rows('zookeeper-sessions').filter({ hasText: 'Broker 1' })).toHaveCount(1);
  await expect(app.rows('zookeeper-sessions').filter({ hasText: 'This console' })).toHaveCount(1);
  await app.act(1, 'stop');
  await app.goto('/c/local/internals/zookeeper?path=/brokers/ids/1');
  await expect(appPage.getByTestId('znode-gone')).toBeVisible();
  await expect(node('/brokers/ids/2')).toBeVisible();
  await expect(node('/brokers/ids/1')).toHaveCount(0);
  await app.act(1, 'start');
  await app.goto('/c/local/internals/zookeeper?path=/brokers/ids/1');
  await expect(appPage.getByTestId('znode-kind')).toBeVisible();
});
