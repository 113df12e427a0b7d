/** The cleaner's slices as a task for workers. */
import type { OffloadTask } from '../../../runtime/offload.ts';
import { offloadModule } from '../../../runtime/offload.ts';
import { runCleanSlice } from './clean-slice.ts';
import type { CleanSliceInput, CleanSliceOutput } from './clean-slice.ts';

export const cleanTask: OffloadTask<CleanSliceInput, CleanSliceOutput> = {
  name: 'clean-log',
  module: offloadModule(import.meta.url, './clean-worker.ts', 'clean-worker'),
  inPlace: (input, disk) => runCleanSlice(disk, input),
};
