/**
 * The wires and the kernels of all machines. TCP's promises hold: the bytes of a connection come in order, once each, or the connection
 * breaks. So a lost, doubled or reordered packet is seen here as what TCP makes of it, a delay.
 *
 *   link      one way from a machine to another: a delay with jitter, slow for a while, or blocked (a black hole)
 *   blocked   what is under way waits and is sent again some time after the link is back (retransmission with backoff); a new
 *             connection's first packet likewise; nobody hears of it
 *   process killed        its kernel resets its connections
 *   machine without power silent; who sends to it after its return is reset
 */
import type { Random } from '../../../src/runtime/random.ts';
import { EventKind } from './event-queue.ts';
import type { Machine } from './machine.ts';
import type { SimSocket } from './sim-net.ts';
import type { World } from './world.ts';

const LOOPBACK_MS = 0.05;
const MIN_DELAY_MS = 0.15;
const JITTER_MS = 0.35;
/** Some segments come late for no reason that anybody finds. */
const LATE_SHARE = 0.01;
const LATE_MS = 8;
const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 2000;

interface Link {
  isBlocked: boolean;
  /** Added to each delay at random up to it. */
  slowByMs: number;
}

export interface SimListener {
  readonly accept: (socket: SimSocket) => void;
  readonly isOpen: () => boolean;
}

export class Network {
  readonly world: World;
  readonly #machines = new Map<string, Machine>();
  readonly #links = new Map<string, Link>();
  /** By `machine:port` or `machine:path`. */
  readonly listeners = new Map<string, SimListener>();
  readonly sockets = new Set<SimSocket>();
  readonly random: Random;
  #nextPort = 40_000;

  constructor(world: World) {
    this.world = world;
    this.random = world.random('network');
  }

  add(machine: Machine): void {
    this.#machines.set(machine.name, machine);
  }

  machine(name: string): Machine | undefined {
    return this.#machines.get(name);
  }

  nextPort(): number {
    return this.#nextPort++;
  }

  block(from: string, to: string): void {
    this.#link(from, to).isBlocked = true;
  }

  unblock(from: string, to: string): void {
    this.#link(from, to).isBlocked = false;
  }

  slow(from: string, to: string, slowByMs: number): void {
    this.#link(from, to).slowByMs = slowByMs;
  }

  isBlocked(from: string, to: string): boolean {
    return this.#link(from, to).isBlocked;
  }

  healAll(): void {
    for (const link of this.#links.values()) {
      link.isBlocked = false;
      link.slowByMs = 0;
    }
  }

  /** Breaks every connection between two machines: both ends hear of it. */
  resetConnections(a: string, b: string): void {
    for (const socket of Array.from(this.sockets)) {
      const peer = socket.remoteAddress;
      if ((socket.localAddress === a && peer === b) || (socket.localAddress === b && peer === a)) socket.onReset();
    }
  }

  /** A delay of this link, by chance. */
  delayMs(from: string, to: string): number {
    if (from === to) return LOOPBACK_MS;
    const { random } = this;
    const { slowByMs } = this.#link(from, to);
    const late = random.next() < LATE_SHARE ? LATE_MS * random.next() : 0;
    return MIN_DELAY_MS + JITTER_MS * random.next() + late + slowByMs * random.next();
  }

  /**
   * Calls `deliver` when a packet from one machine has reached the other; tries again, seldomer each time, while the link is blocked
   * or the other has no power. `isWanted` false: the sender has given up.
   */
  carry(from: string, to: string, atMs: number, deliver: () => void, isWanted: () => boolean, attempt = 0): void {
    this.world.at(atMs, EventKind.network, undefined, () => {
      if (!isWanted()) return;
      if (!this.isBlocked(from, to) && this.#machines.get(to)?.hasPower === true) {
        deliver();
        return;
      }
      const retryMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** attempt) * (0.75 + this.random.next() / 2);
      this.carry(from, to, this.world.nowMs + retryMs, deliver, isWanted, attempt + 1);
    });
  }

  #link(from: string, to: string): Link {
    const key = `${from}>${to}`;
    let link = this.#links.get(key);
    if (link === undefined) {
      link = { isBlocked: false, slowByMs: 0 };
      this.#links.set(key, link);
    }
    return link;
  }
}
