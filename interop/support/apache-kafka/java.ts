/** Java programs as children that end with this process, however it ends; what they print goes into a file. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Without this, a signal ends this process without `exit`. For programs; under vitest its own handlers do it. */
export function endOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1));
}

export class JavaProcess {
  readonly #child: ChildProcess;
  readonly #outputPath: string;

  /** Both outputs of `java args…` go to the end of the file `outputPath`. */
  constructor(args: readonly string[], outputPath: string) {
    this.#outputPath = outputPath;
    const output = openSync(outputPath, 'a');
    this.#child = spawn('java', [...args], { stdio: ['ignore', output, output] });
    closeSync(output);
    running.add(this.#child);
    this.#child.once('exit', () => running.delete(this.#child));
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('java could not be started');
    return this.#child.pid;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** What it has printed so far. */
  output(): string {
    return readFileSync(this.#outputPath, 'utf8');
  }

  /** SIGTERM, and waits; SIGKILL and an error when that takes longer than `timeoutMs`. */
  async stop(timeoutMs = 120_000): Promise<void> {
    if (this.hasEnded) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#child.kill('SIGKILL');
    }, timeoutMs);
    await ended;
    clearTimeout(timer);
    if (late) throw new Error(`the Java process did not stop within ${timeoutMs} ms:\n${this.output().slice(-4_000)}`);
  }

  async kill(): Promise<void> {
    if (this.hasEnded) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }
}

export function writeProperties(path: string, properties: Readonly<Record<string, string>>): void {
  writeFileSync(
    path,
    Object.entries(properties)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  );
}
