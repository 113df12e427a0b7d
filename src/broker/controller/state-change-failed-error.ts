/** A change of state that can't be made now: no eligible leader, state missing or written by a later controller. Source: StateChangeFailedException. */
export class StateChangeFailedError extends Error {
  override readonly name = 'StateChangeFailedError';
}
