/** The processes that a spec stands for, ZooKeeper first, each with how it is started. Made anew with each change of the spec. */
import type { Disk } from '../runtime/disk.ts';
import { brokerConfig, logDirsOf, processIdOf, zookeeperConfig, zookeeperConnectOf } from './child-config.ts';
import type { ClusterSpec } from './cluster-spec.ts';
import type { DataFolder } from './data-folder.ts';
import type { ProcessDefinition } from './managed-process.ts';
import { describeMovedPort } from './ports.ts';
import type { MovedPort } from './ports.ts';
import { childCommand } from './process-entry.ts';

export interface DefinitionOptions {
  readonly disk: Disk;
  readonly folder: DataFolder;
  readonly movedPorts: readonly MovedPort[];
  /** Other programs than our own for the children. */
  readonly entries: { readonly broker?: string | undefined; readonly zookeeper?: string | undefined };
  /** As `LocalClusterParts`'s. */
  closeDeadSession(sessionFile: string, zookeeperConnect: string): Promise<void>;
}

export function processDefinitions(spec: ClusterSpec, options: DefinitionOptions): ProcessDefinition[] {
  const { disk, folder, movedPorts, entries } = options;
  const noteFor = (processId: string, port: number): string | null => {
    const moved = movedPorts.find((candidate) => candidate.processId === processId && candidate.used === port);
    return moved === undefined ? null : describeMovedPort(moved);
  };
  const startable = (processId: string, port: number, config: object) => {
    const text = `${JSON.stringify(config, undefined, 2)}\n`;
    const write = (): string => {
      const path = folder.config(processId);
      disk.writeFile(path, text);
      return path;
    };
    return { host: 'localhost', port, logFile: folder.log(processId), note: noteFor(processId, port), config: text, write };
  };
  const definitions: ProcessDefinition[] = [];
  const { zookeeper } = spec;
  if (zookeeper.kind === 'embedded') {
    const { write, ...common } = startable('zookeeper', zookeeper.port, zookeeperConfig(disk, zookeeper.port, folder));
    definitions.push({
      ...common,
      id: 'zookeeper',
      role: 'zookeeper',
      brokerId: null,
      dataDirs: [folder.zookeeper],
      prepare: () => childCommand('zookeeper', write(), entries.zookeeper),
    });
  }
  const connect = zookeeperConnectOf(spec);
  for (const broker of spec.brokers) {
    const id = processIdOf(broker);
    const { write, ...common } = startable(id, broker.port, brokerConfig(disk, spec, broker, folder));
    definitions.push({
      ...common,
      id,
      role: 'broker',
      brokerId: broker.id,
      dataDirs: logDirsOf(spec, broker, folder),
      prepare: () => childCommand('broker', write(), entries.broker),
      afterExit: () => options.closeDeadSession(folder.session(id), connect),
    });
  }
  return definitions;
}
