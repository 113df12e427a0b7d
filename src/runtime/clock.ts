/**
 * The two clocks of a process. `wallMs` is what goes into records, znodes and logs and may jump;
 * `monotonicMs` is what time-outs and latencies are measured with and never goes back.
 */
export interface Clock {
  /** Milliseconds since the epoch, an integer. */
  wallMs(): number;
  /** Milliseconds since an arbitrary origin, with a fraction. */
  monotonicMs(): number;
}
