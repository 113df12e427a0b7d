/** What a worker loads to validate batches. Their memory comes and goes without a copy. */
import { transferring } from '../../runtime/offload.ts';
import type { Transferring } from '../../runtime/offload.ts';
import { runPreparation } from './batch-preparation.ts';
import type { PreparationInput, PreparationOutput } from './batch-preparation.ts';

export function run(input: PreparationInput): PreparationOutput | Transferring<PreparationOutput> {
  const output = runPreparation(input);
  return output.ok ? transferring<PreparationOutput>(output, [output.batch]) : output;
}
