/** The test's end of the harness: starts the built app under it, hears what happens, asks it things, and sees to its end. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** For anything: nothing here is about speed. */
const WAIT_MS = 120_000;

export interface TraceEvent {
  readonly event: string;
  readonly [detail: string]: unknown;
}

export class AppUnderTest {
  readonly events: TraceEvent[] = [];
  /** Everything that the app and its children wrote. */
  output = '';
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;
  readonly #waiting = new Set<() => void>();
  readonly #answers = new Map<number, (result: unknown) => void>();
  #nextId = 1;

  /** `env` has the test's SAMSA_HOME; the app's own arguments (a deep link) follow. */
  constructor(env: NodeJS.ProcessEnv, args: readonly string[] = []) {
    this.#child = fork(join(ROOT, 'out', 'main', 'index.js'), args, {
      cwd: ROOT,
      env,
      execArgv: ['--import', join(ROOT, 'e2e', 'harness', 'register.ts'), '--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.output = (this.output + chunk.toString()).slice(-100_000);
      });
    }
    this.#child.on('message', (message: { type: string; id?: number; result?: unknown } & TraceEvent) => {
      if (message.type === 'answer') this.#answers.get(message.id ?? 0)?.(message.result);
      else this.events.push(message);
      for (const wake of this.#waiting) wake();
    });
    this.exited = new Promise((resolve) => {
      this.#child.once('exit', (code) => {
        resolve(code);
        for (const wake of this.#waiting) wake();
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The first event of that name, there already or to come. */
  async event(name: string, timeoutMs = WAIT_MS): Promise<TraceEvent> {
    return this.until(() => this.events.find(({ event }) => event === name), `the event ${name}`, timeoutMs);
  }

  async until<T>(find: () => T | undefined, what: string, timeoutMs = WAIT_MS): Promise<T> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      const leftMs = deadline - performance.now();
      if (leftMs <= 0 || this.#child.exitCode !== null) {
        throw new Error(`${what} did not come; events: ${this.events.map(({ event }) => event).join(', ')}; output: ${this.output}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, leftMs);
        const waiting = this.#waiting;
        function done(): void {
          clearTimeout(timer);
          waiting.delete(done);
          resolve();
        }
        waiting.add(done);
      });
    }
  }

  ask(question: string, value?: string): Promise<unknown> {
    const id = this.#nextId++;
    return new Promise((resolve) => {
      this.#answers.set(id, resolve);
      this.#child.send({ id, ask: question, value });
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** By force, with all that it started; what a failed test does. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.exited;
  }

  /** Quits as the user would; by force after `timeoutMs`. Gives the exit code. */
  async quit(timeoutMs = WAIT_MS): Promise<number | null> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return this.#child.exitCode;
    void this.ask('quit');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), timeoutMs);
    const code = await this.exited;
    clearTimeout(timer);
    return code;
  }
}
