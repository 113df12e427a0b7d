/**
 * One read of a topic's records: opened with a snapshot of the end offsets, pulled until it is done, stopped at once by a new
 * one or by `stop`. Rows of the read before stay until the first of the new one are there, so that a live page does not flicker.
 */
import { onScopeDispose, shallowRef } from 'vue';
import type { ShallowRef } from 'vue';
import type { Failure } from '../../../console/contract/failure.ts';
import type { MessagePage, MessageRow, OpenedRead, Seek } from '../../../console/contract/messages.ts';
import { failureOf } from '../../../console/transport/failure-of.ts';
import { useClient } from '../../app/rpc/use-console.ts';

export interface MessageReadInput {
  readonly clusterId: string;
  readonly topic: string;
  readonly partitions: readonly number[];
  readonly seek: Seek;
  readonly limit: number;
}

export interface MessageRead {
  readonly rows: ShallowRef<readonly MessageRow[]>;
  readonly opened: ShallowRef<OpenedRead | null>;
  readonly progress: ShallowRef<MessagePage['progress'] | null>;
  readonly partitionFailures: ShallowRef<MessagePage['failures']>;
  readonly failure: ShallowRef<Failure | null>;
  readonly isReading: ShallowRef<boolean>;
  /** A read has come to its end at least once. */
  readonly isLoaded: ShallowRef<boolean>;
  run(input: MessageReadInput, options?: { readonly keepRows: boolean }): Promise<void>;
  stop(): void;
}

export function useMessageRead(): MessageRead {
  const client = useClient();
  const rows = shallowRef<readonly MessageRow[]>([]);
  const opened = shallowRef<OpenedRead | null>(null);
  const progress = shallowRef<MessagePage['progress'] | null>(null);
  const partitionFailures = shallowRef<MessagePage['failures']>([]);
  const failure = shallowRef<Failure | null>(null);
  const isReading = shallowRef(false);
  const isLoaded = shallowRef(false);
  let abort: AbortController | undefined;

  async function run(input: MessageReadInput, options = { keepRows: false }): Promise<void> {
    abort?.abort();
    const mine = new AbortController();
    abort = mine;
    isReading.value = true;
    if (!options.keepRows) {
      rows.value = [];
      isLoaded.value = false;
      progress.value = null;
    }
    let reader: string | undefined;
    try {
      const { partitions, ...rest } = input;
      const read = await client.messages.open(
        { ...rest, ...(partitions.length === 0 ? {} : { partitions: [...partitions] }) },
        { signal: mine.signal },
      );
      reader = read.readerId;
      if (mine.signal.aborted) return;
      opened.value = read;
      let found: MessageRow[] = [];
      for (;;) {
        const page = await client.messages.next({ readerId: read.readerId, max: 500, waitMs: 1000 }, { signal: mine.signal });
        if (mine.signal.aborted) return;
        found = found.concat(page.messages);
        progress.value = page.progress;
        partitionFailures.value = page.failures;
        if (!options.keepRows || page.done) rows.value = found;
        if (page.done) break;
      }
      reader = undefined;
      isLoaded.value = true;
      failure.value = null;
    } catch (error) {
      if (!mine.signal.aborted) failure.value = failureOf(error);
    } finally {
      if (reader !== undefined) void client.messages.close({ readerId: reader }).catch(() => undefined);
      if (abort === mine) isReading.value = false;
    }
  }

  function stop(): void {
    abort?.abort();
    isReading.value = false;
    isLoaded.value = true;
  }
  onScopeDispose(() => abort?.abort());
  return { rows, opened, progress, partitionFailures, failure, isReading, isLoaded, run, stop };
}
