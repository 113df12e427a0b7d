/**
 * The order of the end: window, console, cluster (its supervisor ends brokers first, then ZooKeeper). Each step has a deadline, so that one
 * that hangs doesn't keep the rest alive; children whose parent is gone end by themselves.
 */
import type { Logger } from '../runtime/logger.ts';

export interface ShutdownStep {
  readonly name: string;
  readonly deadlineMs: number;
  readonly run: () => Promise<void> | void;
}

/** Runs the steps one after another; resolves in any case, with the names of those that failed or took too long. */
export async function shutDown(steps: readonly ShutdownStep[], logger: Logger): Promise<string[]> {
  const failed: string[] = [];
  for (const { name, deadlineMs, run } of steps) {
    try {
      await withDeadline(Promise.resolve(run()), deadlineMs);
      logger.info({ step: name }, 'shut down');
    } catch (error) {
      failed.push(name);
      logger.error({ step: name, err: error }, 'did not shut down in order');
    }
  }
  return failed;
}

function withDeadline(work: Promise<void>, deadlineMs: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new Error(`took longer than ${deadlineMs} ms`)), deadlineMs);
  work.then(resolve, reject);
  return promise.finally(() => clearTimeout(timer));
}
