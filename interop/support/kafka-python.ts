/** Debian's kafka-python, run as scripts of `interop/kafka-python` by Debian's own interpreter. */
import { join } from 'node:path';
import type { ConsumedRecord } from './expectations.ts';
import { runTool } from './run-tool.ts';

const PYTHON = '/usr/bin/python3';
const SCRIPTS = join(import.meta.dirname, '../kafka-python');
const RECORD_HEAD_SIZE = 20;

/** What the script wrote to standard output. */
export async function runPython(script: string, args: readonly string[], timeoutMs = 240_000): Promise<Buffer> {
  const { out } = await runTool(PYTHON, [join(SCRIPTS, script), ...args], { timeoutMs });
  return out;
}

/** A group of one member reads the topic to its end and commits. */
export async function readWithKafkaPython(
  bootstrapServers: string,
  options: { topic: string; groupId: string; checkCrcs: boolean },
): Promise<ConsumedRecord[]> {
  const out = await runPython('consume_group.py', [bootstrapServers, options.topic, options.groupId, options.checkCrcs ? '1' : '0']);
  const records: ConsumedRecord[] = [];
  for (let position = 0; position < out.length;) {
    const partition = out.readInt32BE(position);
    const offset = Number(out.readBigInt64BE(position + 4));
    const keyStart = position + RECORD_HEAD_SIZE;
    const valueStart = keyStart + out.readInt32BE(position + 12);
    position = valueStart + out.readInt32BE(position + 16);
    records.push({ partition, offset, key: out.toString('utf8', keyStart, valueStart), value: out.subarray(valueStart, position) });
  }
  return records;
}
