/** The controller page on a running cluster: who it is, what it did, and that it follows when another broker takes the office. */
import { ConsolePage } from './app.ts';
import { expect, test } from './fixtures.ts';

test('names the controller and its events, and the next one when it is killed', async ({ appPage }) => {
  const app = new ConsolePage(appPage);
  await app.goto('/c/local/controller');
  const name = appPage.getByTestId('controller-broker');
  await expect(name).toHaveText(/Broker [123]/);
  await expect(appPage.getByTestId('controller-epoch')).toHaveText(/epoch \d+/);
  await expect(app.rows('controller-events').first()).toBeVisible();
  await expect(appPage.getByTestId('count-activeBrokers')).toHaveText('3');
  const before = (await name.textContent()) ?? '';
  const id = before.replaceAll(/\D/gu, '');
  await app.act(Number(id), 'kill');
  await app.goto('/c/local/controller');
  await expect(name).not.toHaveText(before);
  await expect(appPage.getByTestId('count-activeBrokers')).toHaveText('2');
  await app.act(Number(id), 'start');
  await expect(app.row('brokers', id)).toContainText(/running/i);
});
