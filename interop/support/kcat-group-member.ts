/** kcat as a member of a balanced consumer group (`kcat -G`), which tells on standard error what it is assigned. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export class KcatGroupMember {
  readonly #child;
  readonly #closed: Promise<unknown>;
  /** Values read, in order. */
  readonly values: string[] = [];
  /** Partitions of the present assignment; undefined before the first. */
  partitions: readonly number[] | undefined;
  /** What kcat said. */
  readonly said: string[] = [];

  constructor(bootstrapServers: string, groupId: string, topic: string) {
    const settings = ['auto.offset.reset=earliest', 'session.timeout.ms=6000', 'heartbeat.interval.ms=200', 'auto.commit.interval.ms=200'];
    const args = ['-b', bootstrapServers, '-G', groupId, '-u', '-f', '%s\n', ...settings.flatMap((setting) => ['-X', setting]), topic];
    this.#child = spawn('kcat', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#closed = once(this.#child, 'close');
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.values.push(line));
    createInterface({ input: this.#child.stderr }).on('line', (line) => this.#onLine(line));
  }

  /** Leaves the group in order. */
  async stop(): Promise<void> {
    this.#child.kill('SIGINT');
    await this.#closed;
  }

  /** Ends without a word. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }

  /** `% Group g rebalanced (memberid …): assigned: t [0], t [1]` or `… revoked: …` */
  #onLine(line: string): void {
    this.said.push(line);
    if (line.includes('assigned:')) this.partitions = Array.from(line.matchAll(/\[(\d+)\]/g), ([, partition]) => Number(partition));
  }
}
