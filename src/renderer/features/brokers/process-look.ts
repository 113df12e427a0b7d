/** A process's state as a colour's meaning, and what may be done in it. Pure. */
import type { ProcessState, ProcessStatus } from '../../../console/contract/processes.ts';
import type { Tone } from '../clusters/cluster-look.ts';

export const processActions = ['start', 'stop', 'restart', 'freeze', 'thaw', 'kill'] as const;
export type ProcessAction = (typeof processActions)[number];

/** What a list says of a process: `cutOff` for one that runs and that nobody reaches, `partlyCut` where some links are cut. */
export type ShownState = ProcessState | 'cutOff' | 'partlyCut';

const tones: Readonly<Record<ShownState, Tone>> = {
  running: 'good',
  cutOff: 'warn',
  partlyCut: 'warn',
  starting: 'busy',
  stopping: 'busy',
  frozen: 'warn',
  backoff: 'warn',
  stopped: 'off',
  failed: 'bad',
};

export function processTone(state: ShownState): Tone {
  return tones[state];
}

export function shownState({ state, cutOffFrom }: Pick<ProcessStatus, 'state' | 'cutOffFrom'>): ShownState {
  if (state !== 'running' || cutOffFrom.length === 0) return state;
  return cutOffFrom.includes('clients') && cutOffFrom.length > 1 ? 'cutOff' : 'partlyCut';
}

const possible: Readonly<Record<ProcessAction, readonly ProcessState[]>> = {
  start: ['stopped', 'failed', 'backoff'],
  stop: ['running', 'starting', 'backoff'],
  restart: ['running', 'starting'],
  freeze: ['running'],
  thaw: ['frozen'],
  // A frozen or stopping process has a pid still: it can be killed.
  kill: ['running', 'starting', 'frozen', 'stopping'],
};

export function isPossible(action: ProcessAction, process: Pick<ProcessStatus, 'state'>): boolean {
  return possible[action].includes(process.state);
}
