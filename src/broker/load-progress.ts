/**
 * Puts the opening of the logs into a line for whoever waits for the broker: not before it has taken a while, then a few times a
 * second. `npx samsa up` and the console show it while the broker is starting.
 */
import type { Clock } from '../runtime/clock.ts';
import { bytesText } from './byte-text.ts';
import type { LoadProgress } from './log/log-manager.ts';

const FIRST_AFTER_MS = 500;
const EVERY_MS = 500;

export class LoadProgressReporter {
  readonly #clock: Clock;
  readonly #tell: (text: string) => void;
  #startedMs: number | undefined;
  #toldMs = -Infinity;

  constructor(clock: Clock, tell: (text: string) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  report({ totalLogs, loadedLogs, scannedBytes }: LoadProgress): void {
    const nowMs = this.#clock.monotonicMs();
    this.#startedMs ??= nowMs;
    if (nowMs - this.#startedMs < FIRST_AFTER_MS || nowMs - this.#toldMs < EVERY_MS) return;
    this.#toldMs = nowMs;
    const verb = scannedBytes > 0 ? 'recovering' : 'opening';
    this.#tell(`${verb} logs: ${loadedLogs} of ${totalLogs}${scannedBytes > 0 ? `, ${bytesText(scannedBytes)} scanned` : ''}`);
  }
}
