/**
 * Whether a broker would take its configuration: asked of the broker's own program, which reads it, says so and ends before it opens anything.
 * So what a setting may be is known in one place, and a bad one is refused before it is in a cluster's spec.
 */
import type { Processes } from '../runtime/processes.ts';
import type { Scheduler } from '../runtime/scheduler.ts';
import type { BrokerChildConfig } from './child-config.ts';
import { ControlError } from './control-contract.ts';
import type { ChildCommand } from '../runtime/processes.ts';

/** A Node that starts takes some 200 ms; this is for a machine with much else to do. */
const CHECK_TIMEOUT_MS = 20_000;

export interface BrokerCheckOptions {
  readonly scheduler: Scheduler;
  readonly processes: Processes;
  /** Writes the configuration where the child reads it, and says how to start that. */
  readonly prepare: (config: BrokerChildConfig) => ChildCommand;
}

/** Rejects with `ControlError`: 'bad-request' in the broker's words, 'timeout' when it says nothing. */
export function checkBrokerConfig({ scheduler, processes, prepare }: BrokerCheckOptions, config: BrokerChildConfig): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = scheduler.after(CHECK_TIMEOUT_MS, () =>
    reject(new ControlError('timeout', `the settings could not be checked within ${CHECK_TIMEOUT_MS} ms; nothing was changed`)),
  );
  const child = processes.spawn(prepare({ ...config, checkOnly: true }), {
    onMessage: (message) => {
      if (typeof message !== 'object' || message === null || !('type' in message)) return;
      if (message.type === 'ready') resolve();
      if (message.type === 'failed' && 'message' in message) reject(new ControlError('bad-request', String(message.message)));
    },
    onOutput: () => {},
    onExit: (code, signal, error) =>
      reject(new ControlError('failed', `the settings could not be checked: ${error?.message ?? `the broker ended (${signal ?? code})`}`)),
  });
  return promise.finally(() => {
    timer.cancel();
    child.signal('SIGKILL');
  });
}
