/** What a worker loads to scan segments: of the real disk. */
import { nodeDisk } from '../../runtime/node/node-disk.ts';
import { transferring } from '../../runtime/offload.ts';
import type { Transferring } from '../../runtime/offload.ts';
import { runSegmentScan } from './segment-scan-task.ts';
import type { DiskFault, ScannedSegment, SegmentScanInput } from './segment-scan-task.ts';

export async function run(input: SegmentScanInput): Promise<DiskFault | Transferring<ScannedSegment>> {
  const output = await runSegmentScan(nodeDisk, input);
  if (output.kind === 'disk-error') return output;
  return transferring(output, [output.offsetEntries.buffer, output.timeEntries.buffer, output.producers.buffer]);
}
