/** `samsa graduate`: writes what Apache Kafka 3.9 wants to start on the data folder, and says how. docs/graduate.md tells the rest. */
import { join, resolve } from 'node:path';
import { readClusterSpec } from '../cluster/cluster-spec.ts';
import { dataFolderAt, defaultHome } from '../cluster/data-folder.ts';
import { graduationFiles, writeGraduationFiles, ZOOKEEPER_PROPERTIES } from '../cluster/graduation.ts';
import { attachToCluster } from '../cluster/start-cluster.ts';
import { nodeDisk } from '../runtime/node/node-disk.ts';
import { silentLogger } from '../runtime/node/node-logger.ts';
import type { Terminal } from './terminal.ts';

/** The exit code. A cluster that runs is refused: two programs on one folder would spoil it. */
export async function graduate(options: { home: string | undefined; to: string | undefined }, terminal: Terminal): Promise<number> {
  const folder = dataFolderAt(options.home ?? defaultHome());
  const spec = readClusterSpec(nodeDisk, folder.spec);
  if (spec === undefined)
    throw new Error(`there is no cluster in ${folder.home}: start one with samsa up, or name another folder with --home`);
  const control = await attachToCluster({ home: folder.home, logger: silentLogger });
  if (control !== undefined) {
    control.close();
    throw new Error(`a cluster runs in ${folder.home}: stop it first (samsa down)`);
  }
  const target = resolve(options.to ?? join(folder.home, 'apache-kafka'));
  const files = graduationFiles(nodeDisk, spec, folder);
  writeGraduationFiles(nodeDisk, files, target);
  terminal.out(`Wrote ${files.map(({ name }) => name).join(', ')} to ${target}`);
  terminal.out('In the folder of Apache Kafka 3.9 (not 4.x, which has no ZooKeeper), in this order:');
  for (const { name } of files) {
    const script = name === ZOOKEEPER_PROPERTIES ? 'zookeeper-server-start.sh' : 'kafka-server-start.sh';
    terminal.out(`  bin/${script} -daemon '${join(target, name)}'`);
  }
  terminal.out('And back: stop the brokers, then ZooKeeper, then samsa up.');
  return 0;
}
