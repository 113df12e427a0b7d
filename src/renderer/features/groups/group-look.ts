/** A group's state as a colour's meaning. */
import type { Tone } from '../clusters/cluster-look.ts';

export function groupTone(state: string | null): Tone {
  switch (state) {
    case 'Stable':
      return 'good';
    case 'PreparingRebalance':
    case 'CompletingRebalance':
    case 'Assigning':
    case 'Reconciling':
      return 'busy';
    case 'Dead':
      return 'bad';
    default:
      return 'off';
  }
}
