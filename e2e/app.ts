/**
 * The console's page as a person uses it: where things are and what can be done, apart from what a test expects. Cells are named by grid,
 * row key and column key, which the grid carries as `data-testid="grid-ID"`, `data-key` and `data-column`.
 */
import { expect } from '@playwright/test';
import type { Locator, Page } from '@playwright/test';

export type Section = 'overview' | 'brokers' | 'topics' | 'groups';
export type TopicTab = 'messages' | 'partitions' | 'configs' | 'groups' | 'segments' | 'replication' | 'flush' | 'retention';
export type ProcessAction = 'start' | 'stop' | 'kill' | 'restart' | 'freeze' | 'thaw';

export class ConsolePage {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  // Places

  async open(section: Section): Promise<void> {
    await this.page.getByTestId(`nav-${section}`).click();
  }

  /** By its address, as a shared link would. */
  async openTopic(topic: string, tab: TopicTab = 'messages'): Promise<void> {
    await this.goto(`/c/local/topics/${topic}${tab === 'messages' ? '' : `/${tab}`}`);
  }

  async openGroup(groupId: string): Promise<void> {
    await this.goto(`/c/local/groups/${encodeURIComponent(groupId)}`);
  }

  async goto(route: string): Promise<void> {
    await this.page.evaluate((hash) => {
      location.hash = hash;
    }, route);
  }

  // What is shown

  get clusterState(): Locator {
    return this.page.getByTestId('cluster-state');
  }

  grid(id: string): Locator {
    return this.page.getByTestId(`grid-${id}`);
  }

  row(grid: string, key: string): Locator {
    return this.grid(grid).locator(`[role=row][data-key="${key}"]`);
  }

  rows(grid: string): Locator {
    return this.grid(grid).locator('[role=row][data-key]');
  }

  cell(grid: string, key: string, column: string): Locator {
    return this.row(grid, key).locator(`[data-column="${column}"]`);
  }

  get timeline(): Locator {
    return this.page.getByTestId('timeline');
  }

  // Topics

  async createTopic(topic: { readonly name: string; readonly partitions?: number; readonly replicationFactor?: number }): Promise<void> {
    await this.open('topics');
    await this.page.getByTestId('create-topic').click();
    await this.page.getByTestId('topic-name').fill(topic.name);
    if (topic.partitions !== undefined) await this.page.getByTestId('topic-partitions').fill(String(topic.partitions));
    if (topic.replicationFactor !== undefined) await this.page.getByTestId('topic-replicas').fill(String(topic.replicationFactor));
    // The broker says first that it would.
    await this.page.getByTestId('create-topic-check').click();
    await this.page.getByTestId('create-accepted').waitFor();
    await this.page.getByTestId('create-topic-submit').click();
    // The dialog closes when it is made, and tells why when it is not.
    const outcome = async (): Promise<string | null> => {
      const refusal = this.page.getByTestId('create-error');
      if (await refusal.isVisible()) return refusal.textContent();
      return (await this.page.getByTestId('create-topic-form').isVisible()) ? 'is being made' : 'made';
    };
    await expect.poll(outcome, { message: `topic ${topic.name}` }).toBe('made');
  }

  /** To `count` partitions in all. */
  async addPartitions(topic: string, count: number): Promise<void> {
    await this.openTopic(topic, 'partitions');
    await this.page.getByTestId('add-partitions').click();
    await this.page.getByTestId('partition-count').fill(String(count));
    await this.page.getByTestId('add-partitions-submit').click();
  }

  async deleteTopic(topic: string): Promise<void> {
    await this.openTopic(topic);
    await this.page.getByTestId('delete-topic').click();
    await this.page.getByTestId('confirm-run').click();
  }

  // Configs

  async setConfig(name: string, value: string): Promise<void> {
    const row = this.row('configs', name);
    await row.click();
    await row.getByTestId('config-edit').click();
    await row.getByTestId('config-input').fill(value);
    await row.getByTestId('config-save').click();
  }

  // Processes

  /**
   * From the brokers' page, once its state allows it: the row's button, which is there and enabled then; only Freeze is in the menu alone.
   * Looking which of both is there would find the menu of a state that is over in a moment.
   */
  async act(brokerId: number, action: ProcessAction): Promise<void> {
    await this.open('brokers');
    const row = this.row('brokers', String(brokerId));
    if (action === 'freeze') {
      await row.getByTestId('process-menu').click();
      await this.page.getByRole('menuitem', { name: 'Freeze' }).click();
    } else await row.getByTestId(`process-${action}`).click();
    // Only what may lose something is asked about.
    if (action === 'kill') await this.page.getByTestId('confirm-run').click();
  }
}
