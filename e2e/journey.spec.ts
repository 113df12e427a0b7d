/**
 * A first day with the app, in every host: create a topic, see what kcat produced, see a KafkaJS group and its lag, change a flush setting,
 * kill and restart a broker, look at segments, delete the topic. One story, so one test after another on one cluster.
 */
import { ConsolePage } from './app.ts';
import { expect, test } from './fixtures.ts';
import { produceWithKcat, startGroup } from './kafka.ts';

test.describe.configure({ mode: 'serial' });

const topic = 'orders';
const groupId = 'order-readers';
const lines = Array.from({ length: 300 }, (_, index) => `k${index}:value number ${index}`);

test('launches on a running cluster of three brokers', async ({ appPage }) => {
  const app = new ConsolePage(appPage);
  await app.open('brokers');
  for (const id of ['1', '2', '3', 'zookeeper']) await expect(app.row('brokers', id)).toContainText(/running/i);
});

test('creates a topic, which is in the list at once', async ({ appPage }) => {
  const app = new ConsolePage(appPage);
  await app.createTopic({ name: topic, partitions: 3, replicationFactor: 3 });
  await app.open('topics');
  await expect(app.row('topics', topic)).toBeVisible();
});

test('shows the records that kcat produced', async ({ app: running, appPage }) => {
  await produceWithKcat(running.bootstrapServers, topic, lines);
  const app = new ConsolePage(appPage);
  await app.openTopic(topic);
  // The last hundred, newest first.
  await expect(app.grid('messages')).toHaveAttribute('aria-rowcount', '101');
  await expect(app.rows('messages').first()).toContainText(/value number 2\d\d/);
  await app.goto(`/c/local/topics/${topic}?from=start`);
  await expect(app.grid('messages')).toHaveAttribute('aria-rowcount', String(lines.length + 1));
});

test('shows a KafkaJS group and how its lag moves', async ({ app: running, appPage }) => {
  const app = new ConsolePage(appPage);
  const group = await startGroup(running.bootstrapServers, groupId, topic);
  // Each value once: a group that has rebalanced may have read some again.
  await expect.poll(() => new Set(group.received).size).toBe(lines.length);
  await app.open('groups');
  await expect(app.row('groups', groupId)).toContainText(/stable/i);
  await expect(app.row('groups', groupId).getByTestId('group-lag')).toHaveText('0');
  await group.stop();
  await produceWithKcat(running.bootstrapServers, topic, lines.slice(0, 50));
  await expect(app.row('groups', groupId).getByTestId('group-lag')).toHaveText('50');
  await expect(app.row('groups', groupId)).toContainText(/empty/i);
  await app.open('topics');
  await expect(app.cell('topics', topic, 'groups')).toHaveText('1');
  await expect(app.cell('topics', topic, 'lag')).toHaveText('50');
});

test('changes flush.messages in place', async ({ appPage }) => {
  const app = new ConsolePage(appPage);
  await app.openTopic(topic, 'configs');
  await app.setConfig('flush.messages', '1234');
  await expect(app.row('configs', 'flush.messages').getByTestId('config-value')).toContainText(/1.?234/);
});

test('kills a broker, shows the election and the ISR of two, and starts it again', async ({ appPage }) => {
  const app = new ConsolePage(appPage);
  await app.act(2, 'kill');
  await expect(app.row('brokers', '2')).toContainText(/stopped/i);
  await app.openTopic(topic, 'partitions');
  await expect(app.cell('partitions', '0', 'isr')).not.toContainText('2');
  await app.open('overview');
  // Its reason differs when broker 2 was also the controller.
  await expect(app.timeline).toContainText(/new leader/);
  await expect(app.timeline).toContainText(/broker 2 left the ISR/i);
  await app.act(2, 'start');
  await expect(app.row('brokers', '2')).toContainText(/running/i);
  await app.openTopic(topic, 'partitions');
  await expect(app.cell('partitions', '0', 'isr')).toContainText('2');
});

test('lists the segments of a partition', async ({ appPage }) => {
  const app = new ConsolePage(appPage);
  await app.openTopic(topic, 'segments');
  await expect(app.rows('replicas').first()).toBeVisible();
  await app.rows('replicas').first().click();
  await expect(app.grid('segments')).toContainText('00000000000000000000.log');
  await app.rows('segments').first().click();
  await app.cell('batches', '0', 'records').getByRole('button').click();
  await expect(app.cell('batch-records', '0:0', 'value')).toContainText(/value number/);
});

test('adds partitions to the topic', async ({ appPage }) => {
  const app = new ConsolePage(appPage);
  await app.addPartitions(topic, 5);
  await expect(app.row('partitions', '4')).toBeVisible();
});

test('deletes the topic, which is gone from the list', async ({ appPage }) => {
  const app = new ConsolePage(appPage);
  await app.deleteTopic(topic);
  await app.open('topics');
  await expect(app.row('topics', topic)).toHaveCount(0);
});
