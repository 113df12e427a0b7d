/** The wall clock, read once in a turn of the event loop: a read costs 40 ns, and appends ask for each batch. */
import type { Clock } from '../../runtime/clock.ts';
import type { EndOfTurn } from './end-of-turn.ts';

export class TurnClock {
  readonly #clock: Clock;
  readonly #endOfTurn: EndOfTurn;
  #wallMs: number | undefined;

  constructor(clock: Clock, endOfTurn: EndOfTurn) {
    this.#clock = clock;
    this.#endOfTurn = endOfTurn;
  }

  wallMs(): number {
    if (this.#wallMs !== undefined) return this.#wallMs;
    this.#endOfTurn.afterAll(this.#forget);
    return (this.#wallMs = this.#clock.wallMs());
  }

  readonly #forget = (): void => {
    this.#wallMs = undefined;
  };
}
