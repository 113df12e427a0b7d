/**
 * The console process as main sees it: started as a utility process, given its cluster's control socket, handed a port for each page. When
 * it dies it is started again with a delay that grows; a page whose port has closed asks for another by itself.
 */
import { MessageChannelMain, utilityProcess } from 'electron';
import type { MessagePortMain, UtilityProcess } from 'electron';
import type { Logger } from '../runtime/logger.ts';

const RESTART_DELAY_MS = 250;
const MAX_RESTART_DELAY_MS = 10_000;
/** A process that lived this long had no trouble starting. */
const HEALTHY_MS = 30_000;
const STOP_MS = 3_000;

export interface ConsoleProcessOptions {
  readonly entry: string;
  readonly controlSocketPath: string;
  readonly logFile: string;
  readonly logger: Logger;
}

export class ConsoleProcess {
  readonly #options: ConsoleProcessOptions;
  #child: UtilityProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #startedAtMs = 0;
  #delayMs = RESTART_DELAY_MS;
  #timer: NodeJS.Timeout | undefined;
  #stopping = false;

  constructor(options: ConsoleProcessOptions) {
    this.#options = options;
    this.#start();
  }

  /** A new page's end of a channel whose other end the console process has. */
  connect(): MessagePortMain {
    const { port1, port2 } = new MessageChannelMain();
    // Between two generations there is nobody to give it to: the page sees its port closed, and asks again.
    if (this.#child === undefined) port2.close();
    else this.#child.postMessage({ type: 'connect' }, [port2]);
    return port1;
  }

  /** Resolves when it has ended, by force if it takes too long. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    const child = this.#child;
    if (child === undefined) return;
    child.kill();
    const timer = setTimeout(() => {
      if (child.pid !== undefined) process.kill(child.pid, 'SIGKILL');
    }, STOP_MS);
    await this.#ended;
    clearTimeout(timer);
  }

  #start(): void {
    const { entry, controlSocketPath, logFile, logger } = this.#options;
    const child = utilityProcess.fork(entry, [], { serviceName: 'Samsa console', stdio: 'inherit' });
    this.#child = child;
    this.#startedAtMs = performance.now();
    const ended = Promise.withResolvers<void>();
    this.#ended = ended.promise;
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a process, not a window
    child.postMessage({ type: 'start', controlSocketPath, logFile });
    child.once('exit', (code) => {
      this.#child = undefined;
      ended.resolve();
      if (this.#stopping) return;
      if (performance.now() - this.#startedAtMs > HEALTHY_MS) this.#delayMs = RESTART_DELAY_MS;
      logger.warn({ code, restartInMs: this.#delayMs }, 'the console process has ended and will be started again');
      this.#timer = setTimeout(() => this.#start(), this.#delayMs);
      this.#delayMs = Math.min(MAX_RESTART_DELAY_MS, this.#delayMs * 2);
    });
  }
}
