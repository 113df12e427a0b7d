/**
 * Open sessions and when they expire (SessionTrackerImpl, ExpiryQueue). A session lies in the bucket of the tick at which
 * it expires; each sign of life moves it to a later one; at a tick its whole bucket expires.
 *
 * Differs from Apache: the clock of expiry advances by at most two ticks between two wake-ups, so that a suspended laptop
 * or a stalled process, which could not have heard any ping, expires nobody.
 */
import type { Clock } from '../runtime/clock.ts';
import type { Cancellable, Scheduler } from '../runtime/scheduler.ts';
import type { LongHex } from './jute/records.ts';

export interface Session {
  readonly id: LongHex;
  timeoutMs: number;
  /** Set when its end has been decided; it takes no more requests. */
  closing: boolean;
  /** On the monotonic clock. */
  lastSeenMs: number;
}

interface TrackedSession extends Session {
  expiryTick: number;
}

/** How far the clock of expiry may advance at a wake-up, in ticks. */
const MAX_TICKS_PER_WAKE_UP = 2;

export class SessionTracker {
  readonly #clock: Clock;
  readonly #tickTimeMs: number;
  readonly #onExpired: (session: Session) => void;
  readonly #sessions = new Map<LongHex, TrackedSession>();
  readonly #buckets = new Map<number, Set<TrackedSession>>();
  readonly #ids: SessionIds;
  readonly #ticker: Cancellable;
  /** The clock of expiry at the last wake-up, and the real one then. */
  #expiryClockMs = 0;
  #wokenAtMs: number;
  #nextTick = 1;

  constructor(
    runtime: { readonly clock: Clock; readonly scheduler: Scheduler },
    options: {
      readonly tickTimeMs: number;
      readonly restored: ReadonlyMap<LongHex, number>;
      readonly onExpired: (session: Session) => void;
    },
  ) {
    this.#clock = runtime.clock;
    this.#tickTimeMs = options.tickTimeMs;
    this.#onExpired = options.onExpired;
    this.#wokenAtMs = runtime.clock.monotonicMs();
    this.#ids = new SessionIds(runtime.clock, options.restored.keys());
    for (const [id, timeoutMs] of options.restored) this.track(id, timeoutMs);
    this.#ticker = runtime.scheduler.every(options.tickTimeMs, () => this.#wakeUp());
  }

  nextId(): LongHex {
    return this.#ids.next();
  }

  get(id: LongHex): Session | undefined {
    return this.#sessions.get(id);
  }

  ids(): Iterable<LongHex> {
    return this.#sessions.keys();
  }

  /** Until its bucket's tick, by the clock of expiry; 0 for an unknown session. */
  expiresInMs(id: LongHex): number {
    const session = this.#sessions.get(id);
    return session === undefined ? 0 : session.expiryTick * this.#tickTimeMs - this.#nowMs();
  }

  get count(): number {
    return this.#sessions.size;
  }

  /** Begins to watch a session. */
  track(id: LongHex, timeoutMs: number): Session {
    const session: TrackedSession = { id, timeoutMs, closing: false, lastSeenMs: this.#clock.monotonicMs(), expiryTick: 0 };
    this.#sessions.set(id, session);
    this.#moveToBucket(session);
    return session;
  }

  /** A sign of life. False when the session is unknown or closing. */
  touch(id: LongHex, timeoutMs: number): boolean {
    const session = this.#sessions.get(id);
    if (session === undefined || session.closing) return false;
    session.timeoutMs = timeoutMs;
    session.lastSeenMs = this.#clock.monotonicMs();
    this.#moveToBucket(session);
    return true;
  }

  remove(id: LongHex): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#sessions.delete(id);
    this.#takeFromBucket(session);
  }

  stop(): void {
    this.#ticker.cancel();
  }

  /** Ticks until expiry with the sessions that then expire, soonest first. */
  expiryBuckets(): { inMs: number; sessions: LongHex[] }[] {
    const nowMs = this.#nowMs();
    return Array.from(this.#buckets, ([tick, sessions]) => ({
      inMs: tick * this.#tickTimeMs - nowMs,
      sessions: Array.from(sessions, (session) => session.id),
    })).toSorted((a, b) => a.inMs - b.inMs);
  }

  #nowMs(): number {
    const sinceMs = this.#clock.monotonicMs() - this.#wokenAtMs;
    return this.#expiryClockMs + Math.min(sinceMs, MAX_TICKS_PER_WAKE_UP * this.#tickTimeMs);
  }

  #wakeUp(): void {
    this.#expiryClockMs = this.#nowMs();
    this.#wokenAtMs = this.#clock.monotonicMs();
    while (this.#nextTick * this.#tickTimeMs <= this.#expiryClockMs) {
      const bucket = this.#buckets.get(this.#nextTick);
      this.#buckets.delete(this.#nextTick);
      this.#nextTick++;
      for (const session of bucket ?? []) {
        session.closing = true;
        this.#onExpired(session);
      }
    }
  }

  #moveToBucket(session: TrackedSession): void {
    const tick = Math.floor((this.#nowMs() + session.timeoutMs) / this.#tickTimeMs) + 1;
    if (tick === session.expiryTick) return;
    this.#takeFromBucket(session);
    session.expiryTick = tick;
    const bucket = this.#buckets.get(tick);
    if (bucket === undefined) this.#buckets.set(tick, new Set([session]));
    else bucket.add(session);
  }

  #takeFromBucket(session: TrackedSession): void {
    const bucket = this.#buckets.get(session.expiryTick);
    bucket?.delete(session);
    if (bucket?.size === 0) this.#buckets.delete(session.expiryTick);
  }
}

/**
 * Session ids: a byte of server id (1), 40 bits of wall-clock milliseconds at the start, 16 bits of count which carry
 * over into the milliseconds. Never one that a restored session has, also when the clock went back.
 */
class SessionIds {
  #millis: number;
  #count = 0;

  constructor(clock: Clock, restored: Iterable<LongHex>) {
    let millis = clock.wallMs() % 2 ** 40;
    for (const id of restored) {
      if (id.startsWith('01')) millis = Math.max(millis, (Number.parseInt(id.slice(2, 12), 16) + 1) % 2 ** 40);
    }
    this.#millis = millis;
  }

  next(): LongHex {
    const id = `01${this.#millis.toString(16).padStart(10, '0')}${this.#count.toString(16).padStart(4, '0')}`;
    if (++this.#count > 0xffff) {
      this.#count = 0;
      this.#millis = (this.#millis + 1) % 2 ** 40;
    }
    return id;
  }
}
