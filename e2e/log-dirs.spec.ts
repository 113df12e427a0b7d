/** Brokers with two log dirs: a replica moves from one to the other, seen to its end, and a move is given up. */
import { ConsolePage } from './app.ts';
import { expect, test } from './fixtures.ts';
import { produceWithKcat } from './kafka.ts';

test.use({ logDirsPerBroker: 2 });

test('moves a replica to the other log dir of its broker, and gives up a move', async ({ app: running, appPage }) => {
  const app = new ConsolePage(appPage);
  await app.createTopic({ name: 'boxes', partitions: 1, replicationFactor: 3 });
  const lines = Array.from({ length: 6_000 }, (_, index) => `k${index}:${'x'.repeat(1_000)}`);
  await produceWithKcat(running.bootstrapServers, 'boxes', lines);
  await app.goto('/c/local/brokers/1/partitions');
  const place = app.cell('broker-partitions', 'boxes-0', 'logDir');
  await expect(place).toContainText('/broker-1');
  const before = (await place.textContent()) ?? '';
  const moveToOther = async (throttle: string): Promise<void> => {
    await app.row('broker-partitions', 'boxes-0').getByRole('checkbox').setChecked(true);
    await appPage.getByTestId('move-replicas-to').click();
    await expect(appPage.getByTestId('move-replicas-plan')).toContainText('1 replica is copied');
    await appPage.getByTestId('throttle').fill(throttle);
    await appPage.getByTestId('start-replica-moves').click();
  };
  await moveToOther('');
  await expect(place).not.toHaveText(before);
  await expect(place).toContainText('/broker-1');
  await expect(appPage.getByTestId('moving-replicas')).toHaveCount(0);
  const after = (await place.textContent()) ?? '';
  // Slowly enough to be given up.
  await moveToOther('10 kB/s');
  await expect(appPage.getByTestId('moving-replica-boxes-0')).toContainText(/of 5\.\d MiB/);
  await appPage.getByTestId('cancel-replica-move').click();
  await expect(appPage.getByTestId('moving-replicas')).toHaveCount(0);
  await expect(place).toHaveText(after);
  await expect(appPage.getByTestId('replica-throttle')).toContainText('throttled to 9.8 KiB/s, until that is removed');
  await appPage.getByTestId('remove-throttle').click();
  await expect(appPage.getByTestId('replica-throttle')).toHaveCount(0);
});
