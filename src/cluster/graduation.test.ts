import { describe, expect, it } from 'vitest';
import { nodeDisk } from '../runtime/node/node-disk.ts';
import { newClusterSpec } from './cluster-spec.ts';
import { dataFolderAt } from './data-folder.ts';
import { graduationFiles } from './graduation.ts';

const filesOf = (home: string, options: Parameters<typeof newClusterSpec>[0]): Map<string, string[]> =>
  new Map(graduationFiles(nodeDisk, newClusterSpec(options), dataFolderAt(home)).map(({ name, text }) => [name, text.split('\n')]));

describe('the files for Apache Kafka', () => {
  it('are ZooKeeper\u2019s and one for each broker, with the ids, ports, folders and settings of here', () => {
    const files = filesOf('/home', { brokers: 2, basePort: 9500, config: { 'log.retention.ms': '5' } });
    expect([...files.keys()]).toEqual(['zookeeper.properties', 'server-1.properties', 'server-2.properties']);
    expect(files.get('zookeeper.properties')).toEqual(
      expect.arrayContaining([
        'dataDir=/home/cluster/zookeeper',
        'clientPort=2181',
        'clientPortAddress=127.0.0.1',
        'tickTime=500',
        'autopurge.purgeInterval=1',
      ]),
    );
    expect(files.get('server-2.properties')).toEqual(
      expect.arrayContaining([
        'broker.id=2',
        'listeners=PLAINTEXT://localhost:9501',
        'log.dirs=/home/cluster/broker-2',
        'zookeeper.connect=127.0.0.1:2181',
        'log.retention.ms=5',
        'offsets.topic.replication.factor=2',
      ]),
    );
  });

  it('leave a ZooKeeper that runs elsewhere alone', () => {
    const files = filesOf('/home', { brokers: 1, zookeeper: { kind: 'external', connect: 'a:1,b:2/c' } });
    expect([...files.keys()]).toEqual(['server-1.properties']);
    expect(files.get('server-1.properties')).toContain('zookeeper.connect=a:1,b:2/c');
  });

  it('write what java.util.Properties would read otherwise', () => {
    const files = filesOf('/home', { brokers: 1, config: { a: 'C:\\new', b: ' x', c: 'Büro\n' } });
    expect(files.get('server-1.properties')).toEqual(expect.arrayContaining(['a=C:\\\\new', 'b=\\ x', 'c=B\\u00fcro\\n']));
  });
});
