/**
 * The configuration with which Apache Kafka 3.9 and Apache ZooKeeper start on a cluster's folders: `server-N.properties` for each broker and, where the
 * ZooKeeper is the embedded one, `zookeeper.properties`. They say what the brokers here were told (resources/cluster, the spec), so that nothing
 * changes with the change of programs. Written in Java's properties format: ISO 8859-1 with \uXXXX, backslashes doubled.
 * Source: Kafka's config/server.properties and config/zookeeper.properties; java.util.Properties for the escapes.
 */
import { join } from 'node:path';
import type { Disk } from '../runtime/disk.ts';
import { writeFileAtomically } from '../runtime/disk.ts';
import { brokerConfig, zookeeperConfig } from './child-config.ts';
import type { ClusterSpec } from './cluster-spec.ts';
import type { DataFolder } from './data-folder.ts';

export const ZOOKEEPER_PROPERTIES = 'zookeeper.properties';

export interface GraduationFile {
  readonly name: string;
  readonly text: string;
}

/** The files, ZooKeeper's first: in the order in which the programs start. */
export function graduationFiles(disk: Disk, spec: ClusterSpec, folder: DataFolder): GraduationFile[] {
  const files: GraduationFile[] = [];
  if (spec.zookeeper.kind === 'embedded') {
    const config = zookeeperConfig(disk, spec.zookeeper.port, folder);
    const { dataDir, clientPort, tickTimeMs, juteMaxBufferBytes } = config;
    const properties = {
      dataDir,
      clientPort: String(clientPort),
      clientPortAddress: '127.0.0.1',
      tickTime: String(tickTimeMs),
      maxClientCnxns: '0',
      'admin.enableServer': 'false',
      'autopurge.purgeInterval': String(config.purgeIntervalHours),
      'autopurge.snapRetainCount': String(config.snapRetainCount),
    };
    const note = [
      'Apache ZooKeeper 3.8 (it comes with Apache Kafka 3.9) on the folder of a Samsa cluster.',
      `It takes requests of 1 MiB, unless it is started with KAFKA_OPTS="-Djute.maxbuffer=${juteMaxBufferBytes}", which topics with very many partitions need.`,
    ];
    files.push({ name: ZOOKEEPER_PROPERTIES, text: propertiesText(properties, note) });
  }
  for (const broker of spec.brokers) {
    const { properties } = brokerConfig(disk, spec, broker, folder);
    const note = [`Apache Kafka 3.9, in ZooKeeper mode, on the folder of broker ${broker.id} of a Samsa cluster.`];
    files.push({ name: `server-${broker.id}.properties`, text: propertiesText(properties, note) });
  }
  return files;
}

/** Writes the files into `target`, which is made; what is there under their names is replaced. */
export function writeGraduationFiles(disk: Disk, files: readonly GraduationFile[], target: string): void {
  disk.makeDirectory(target);
  for (const { name, text } of files) writeFileAtomically(disk, join(target, name), text);
}

function propertiesText(properties: Readonly<Record<string, string>>, note: readonly string[]): string {
  const comments = note.map((line) => `# ${line}\n`);
  const lines = Object.entries(properties)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${escaped(key).replaceAll(/[ :=]/g, '\\$&')}=${escaped(value)}\n`);
  return [...comments, ...lines].join('');
}

const CONTROLS: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\f': '\\f' };

/** As `java.util.Properties` reads it. A leading space would be taken for one behind the `=`. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\\\')
    .replaceAll(/[\n\r\t\f]/g, (found) => CONTROLS[found] ?? found)
    .replaceAll(/[^\x20-\x7e]/g, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .replace(/^ /, '\\ ');
}
