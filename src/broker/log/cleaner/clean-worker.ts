/** What a worker loads for the cleaner: a slice on the real disk. The map's memory comes and goes without a copy. */
import { nodeDisk } from '../../../runtime/node/node-disk.ts';
import { transferring } from '../../../runtime/offload.ts';
import type { Transferring } from '../../../runtime/offload.ts';
import { runCleanSlice } from './clean-slice.ts';
import type { CleanSliceInput, CleanSliceOutput } from './clean-slice.ts';

export function run(input: CleanSliceInput): CleanSliceOutput | Transferring<CleanSliceOutput> {
  const output = runCleanSlice(nodeDisk, input);
  return output.ok ? transferring(output, [output.map.memory]) : output;
}
