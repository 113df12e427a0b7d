/**
 * What the cleaner knows of transactions while it reads a log from its begin: which are aborted (their records go at once) and which
 * have anything left (their markers stay until nothing is). Never reads past the last stable offset, so every transaction is decided and
 * the transaction indexes name the aborted ones ahead of their records.
 * Kept as plain data, as it goes from one slice of work to the next. Source: Kafka's CleanedTransactionMetadata.
 */
import { attributesAt, lastOffsetAt, producerIdAt, recordCountAt } from '../../../log-format/batch-fields.ts';
import type { AbortedTxn } from '../../../log-format/txn-index.ts';
import { TRANSACTIONAL_FLAG } from '../../../protocol/records/record-batch.ts';
import { readEndTransactionMarker } from '../end-transaction-marker.ts';

export interface TransactionState {
  readonly ongoingCommitted: Set<number>;
  /** By producer id; whether a batch of it was read since. */
  readonly ongoingAborted: Map<number, { readonly txn: AbortedTxn; hasBatches: boolean }>;
  /** Not begun yet, by first offset. */
  readonly aborted: AbortedTxn[];
  /** For the transaction index of what is being written: aborted transactions whose marker was read and of which records were. */
  cleanedIndex: AbortedTxn[];
}

export function newTransactionState(): TransactionState {
  return { ongoingCommitted: new Set(), ongoingAborted: new Map(), aborted: [], cleanedIndex: [] };
}

export class CleanedTransactionMetadata {
  readonly state: TransactionState;

  constructor(state: TransactionState = newTransactionState()) {
    this.state = state;
  }

  addAbortedTransactions(txns: readonly AbortedTxn[]): void {
    if (txns.length === 0) return;
    this.state.aborted.push(...txns);
    this.state.aborted.sort((a, b) => a.firstOffset - b.firstOffset);
  }

  /** Takes note of a batch of records; whether its transaction was aborted. */
  onBatchRead(buffer: Buffer, at: number): boolean {
    this.#consumeAbortedTxnsUpTo(lastOffsetAt(buffer, at));
    if ((attributesAt(buffer, at) & TRANSACTIONAL_FLAG) === 0) return false;
    const producerId = producerIdAt(buffer, at);
    const aborted = this.state.ongoingAborted.get(producerId);
    if (aborted === undefined) {
      this.state.ongoingCommitted.add(producerId);
      return false;
    }
    aborted.hasBatches = true;
    return true;
  }

  /** Takes note of a control batch; whether nothing is left of the transaction that it ends. */
  onControlBatchRead(buffer: Buffer, at: number): boolean {
    this.#consumeAbortedTxnsUpTo(lastOffsetAt(buffer, at));
    if (recordCountAt(buffer, at) === 0) return true;
    const marker = readEndTransactionMarker(buffer, at);
    if (marker === undefined) return false;
    const producerId = producerIdAt(buffer, at);
    if (marker.kind === 'commit') return !this.state.ongoingCommitted.delete(producerId);
    const aborted = this.state.ongoingAborted.get(producerId);
    this.state.ongoingAborted.delete(producerId);
    if (aborted?.hasBatches !== true) return true;
    this.state.cleanedIndex.push(aborted.txn);
    return false;
  }

  #consumeAbortedTxnsUpTo(offset: number): void {
    const { aborted, ongoingAborted } = this.state;
    let count = 0;
    for (; count < aborted.length; count++) {
      const txn = aborted[count] as AbortedTxn;
      if (txn.firstOffset > offset) break;
      if (!ongoingAborted.has(txn.producerId)) ongoingAborted.set(txn.producerId, { txn, hasBatches: false });
    }
    if (count > 0) aborted.splice(0, count);
  }
}
