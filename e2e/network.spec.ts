/** A broker is cut off from the others in the console, and mended: its state, the ISR and the timeline follow. */
import { ConsolePage } from './app.ts';
import { expect, test } from './fixtures.ts';

test('cuts a broker off from everything and mends it', async ({ appPage }) => {
  const app = new ConsolePage(appPage);
  await app.goto('/c/local/brokers/2/network');
  await appPage.getByTestId('network-isolate').click();
  await expect(appPage.getByTestId('network-cut')).toBeVisible();
  for (const id of ['zookeeper', 'broker-1', 'broker-3', 'clients'])
    await expect(appPage.getByTestId(`network-${id}`)).toHaveAttribute('aria-checked', 'true');
  await app.goto('/c/local/brokers/1/network');
  await expect(appPage.getByTestId('network-broker-2')).toHaveAttribute('aria-checked', 'true');
  await app.goto('/c/local');
  await expect(appPage.getByTestId('card-broker-2').getByTestId('process-state')).toHaveText('Cut off');
  await expect(appPage.getByTestId('card-broker-1').getByTestId('process-state')).toHaveText('Partly cut off');
  await expect(appPage.getByText(/broker-2 is cut off from .*zookeeper/)).toBeVisible();
  await app.goto('/c/local/brokers/2/network');
  await appPage.getByTestId('network-mend').click();
  await expect(appPage.getByTestId('network-cut')).toBeHidden();
  await app.goto('/c/local/brokers/1/network');
  await expect(appPage.getByTestId('network-broker-2')).toHaveAttribute('aria-checked', 'false');
});

test('freezes and thaws a broker from the palette', async ({ appPage }) => {
  const app = new ConsolePage(appPage);
  await app.goto('/c/local');
  const state = appPage.getByTestId('card-broker-3').getByTestId('process-state');
  await expect(state).toHaveText('Running');
  for (const [action, after] of [
    ['Freeze Broker 3', 'Frozen'],
    ['Thaw Broker 3', 'Running'],
  ] as const) {
    await appPage.keyboard.press('Control+k');
    await appPage.getByTestId('palette').locator('input').fill(action);
    await appPage.getByRole('option', { name: action }).click();
    await expect(state).toHaveText(after);
  }
});
