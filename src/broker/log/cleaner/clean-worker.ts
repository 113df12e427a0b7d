/** What a worker loads for the cleaner: a slice on the real disk. The map's memory is shared. */
import { nodeDisk } from '../../../runtime/node/node-disk.ts';
import { runCleanSlice } from './clean-slice.ts';
import type { CleanSliceInput, CleanSliceOutput } from './clean-slice.ts';

export function run(input: CleanSliceInput): CleanSliceOutput {
  return runCleanSlice(nodeDisk, input);
}
