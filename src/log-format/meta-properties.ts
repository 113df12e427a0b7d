/**
 * `meta.properties`: whose folder this is. A Java properties file; Kafka writes an empty comment and a date above the keys.
 *
 *   version=0   broker.id=1   cluster.id=<22 characters>   [directory.id=<22 characters>]
 *
 * In ZooKeeper mode the version is 0; KRaft's 1 has node.id in place of broker.id and is refused here.
 * Source: Kafka's MetaProperties and java.util.Properties.
 */
import { LogFormatError } from './log-format-error.ts';

export interface MetaProperties {
  /** Absent in a folder whose broker has got no id yet. */
  readonly brokerId?: number;
  readonly clusterId?: string;
  readonly directoryId?: string;
}

/** @param date the second comment line, as Java writes a date; any text without a line break. */
export function encodeMetaProperties(properties: MetaProperties, date: string): string {
  const lines = ['#', `#${date}`];
  if (properties.brokerId !== undefined) lines.push(`broker.id=${properties.brokerId}`);
  lines.push('version=0');
  if (properties.clusterId !== undefined) lines.push(`cluster.id=${escapeValue(properties.clusterId)}`);
  if (properties.directoryId !== undefined) lines.push(`directory.id=${escapeValue(properties.directoryId)}`);
  return `${lines.join('\n')}\n`;
}

/** @throws LogFormatError 'corrupt-meta-properties' on an unknown version or a broker.id that is no number. */
export function decodeMetaProperties(text: string): MetaProperties {
  const values = parseProperties(text);
  const version = values.get('version') ?? '0';
  if (version !== '0') {
    throw new LogFormatError(
      'corrupt-meta-properties',
      `meta.properties has version ${version}; a broker in ZooKeeper mode reads version 0`,
    );
  }
  const brokerId = values.get('broker.id');
  if (brokerId !== undefined && !/^\d{1,9}$/.test(brokerId)) {
    throw new LogFormatError('corrupt-meta-properties', `meta.properties has broker.id=${brokerId}, which isn't a broker id`);
  }
  const clusterId = values.get('cluster.id');
  const directoryId = values.get('directory.id');
  return {
    ...(brokerId === undefined ? {} : { brokerId: Number(brokerId) }),
    ...(clusterId === undefined ? {} : { clusterId }),
    ...(directoryId === undefined ? {} : { directoryId }),
  };
}

/** Keys and values of a Java properties file: comments, blank lines, '=' or ':' or blanks between, backslash escapes. */
function parseProperties(text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.trimStart();
    if (line === '' || line.startsWith('#') || line.startsWith('!')) continue;
    const match = /^((?:\\.|[^\\=:\s])+)\s*[=:\s]\s*(.*)$/.exec(line);
    if (match?.[1] === undefined) continue;
    values.set(unescapeValue(match[1]), unescapeValue(match[2] ?? ''));
  }
  return values;
}

function escapeValue(value: string): string {
  return value.replaceAll(/[\\=:#!]/g, String.raw`\$&`);
}

function unescapeValue(value: string): string {
  return value.replaceAll(/\\(.)/g, '$1');
}
