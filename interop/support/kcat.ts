/** kcat (librdkafka) as a producer and consumer of records with any bytes but two in them. */
import type { ConsumedRecord, ProducedRecord } from './expectations.ts';
import { runTool } from './run-tool.ts';

/** Neither occurs in text. */
const RECORD_END = 0x1e;
const KEY_END = 0x1f;

function settingsOf(settings: Readonly<Record<string, string>>): string[] {
  return Object.entries(settings).flatMap(([key, value]) => ['-X', `${key}=${value}`]);
}

/** Produces the records in their order; the partition follows from the key. `settings` are librdkafka's. */
export async function kcatProduce(
  bootstrapServers: string,
  topic: string,
  records: readonly ProducedRecord[],
  settings: Readonly<Record<string, string>> = {},
): Promise<void> {
  const input = Buffer.concat(records.flatMap(({ key, value }) => [Buffer.from(key), Buffer.of(KEY_END), value, Buffer.of(RECORD_END)]));
  await runTool('kcat', ['-P', '-b', bootstrapServers, '-t', topic, '-D', '\\x1e', '-K', '\\x1f', ...settingsOf(settings)], { input });
}

/** Every record of the topic, or of one partition, from the beginning to the end. */
export async function kcatConsume(
  bootstrapServers: string,
  topic: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<ConsumedRecord[]> {
  const args = [
    '-C',
    '-b',
    bootstrapServers,
    '-t',
    topic,
    '-o',
    'beginning',
    '-e',
    '-q',
    '-f',
    '%p %o %K %S\n%k%s',
    ...settingsOf(settings),
  ];
  const { out } = await runTool('kcat', args);
  const records: ConsumedRecord[] = [];
  let position = 0;
  while (position < out.length) {
    const headEnd = out.indexOf('\n', position);
    const [partition = 0, offset = 0, keySize = 0, valueSize = 0] = out.toString('latin1', position, headEnd).split(' ').map(Number);
    const keyEnd = headEnd + 1 + Math.max(0, keySize);
    records.push({
      partition,
      offset,
      key: out.toString('utf8', headEnd + 1, keyEnd),
      value: out.subarray(keyEnd, keyEnd + Math.max(0, valueSize)),
    });
    position = keyEnd + Math.max(0, valueSize);
  }
  return records;
}
