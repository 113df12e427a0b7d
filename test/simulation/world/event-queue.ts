/**
 * What is to happen, in the order of virtual time; at one instant in the order it was added. A binary heap; a cancelled event stays in
 * it until its time and is skipped then.
 */
import type { SimProcess } from './sim-process.ts';

export interface SimEvent {
  atMs: number;
  readonly order: number;
  /** The process that it happens in; undefined for the world's own (the network, faults). */
  readonly process: SimProcess | undefined;
  /** What kind it is, for the trace. */
  readonly kind: EventKind;
  readonly run: () => void;
  cancelled: boolean;
}

export const EventKind = { timer: 1, turnEnd: 2, network: 3, socket: 4, disk: 5, offload: 6, control: 7 } as const;
export type EventKind = (typeof EventKind)[keyof typeof EventKind];

export class EventQueue {
  readonly #heap: SimEvent[] = [];

  get first(): SimEvent | undefined {
    return this.#heap[0];
  }

  push(event: SimEvent): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(event);
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || !isBefore(event, parent)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = event;
  }

  pop(): SimEvent | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    const size = heap.length;
    let index = 0;
    for (;;) {
      let childIndex = 2 * index + 1;
      let child = heap[childIndex];
      if (child === undefined) break;
      const right = childIndex + 1 < size ? heap[childIndex + 1] : undefined;
      if (right !== undefined && isBefore(right, child)) {
        childIndex++;
        child = right;
      }
      if (!isBefore(child, last)) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = last;
    return first;
  }
}

function isBefore(a: SimEvent, b: SimEvent): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
