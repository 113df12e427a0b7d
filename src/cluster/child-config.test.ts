import { describe, expect, it } from 'vitest';
import { nodeDisk } from '../runtime/node/node-disk.ts';
import { brokerConfig, parseProperties, zookeeperConfig } from './child-config.ts';
import { newClusterSpec } from './cluster-spec.ts';
import { dataFolderAt } from './data-folder.ts';

const folder = dataFolderAt('/x');
const propertiesOf = (brokers: number, config: Record<string, string> = {}) => {
  const spec = newClusterSpec({ brokers, config });
  const [first] = spec.brokers;
  if (first === undefined) throw new Error('a spec has brokers');
  return brokerConfig(nodeDisk, spec, first, folder).properties;
};

describe('what a broker is told', () => {
  it.each([
    [1, '1', '1'],
    [2, '2', '2'],
    [5, '3', '2'],
  ])('has internal topics that %i brokers can hold', (brokers, replicas, minIsr) => {
    expect(propertiesOf(brokers)).toMatchObject({
      'default.replication.factor': replicas,
      'offsets.topic.replication.factor': replicas,
      'transaction.state.log.replication.factor': replicas,
      'transaction.state.log.min.isr': minIsr,
    });
  });

  it('takes the settings of the cluster over the defaults, and leaves addresses and folders to the cluster', () => {
    expect(propertiesOf(3, { 'default.replication.factor': '1' })).toMatchObject({
      'default.replication.factor': '1',
      'broker.id': '1',
      listeners: 'PLAINTEXT://localhost:9092',
      'log.dirs': '/x/cluster/broker-1',
      'zookeeper.connect': '127.0.0.1:2181',
    });
  });

  it('lets broker sessions be as long as ZooKeeper allows', () => {
    const { tickTimeMs } = zookeeperConfig(nodeDisk, 2181, folder);
    const sessionTimeoutMs = Number(propertiesOf(3)['zookeeper.session.timeout.ms']);
    expect(sessionTimeoutMs).toBeGreaterThanOrEqual(2 * tickTimeMs);
    expect(sessionTimeoutMs).toBeLessThanOrEqual(20 * tickTimeMs);
  });
});

describe('properties', () => {
  it('leaves comments out, keeps = in values, and refuses a variable that nobody sets', () => {
    expect(parseProperties('# no\n\n a = b=c \n', {})).toEqual({ a: 'b=c' });
    expect(() => parseProperties('a=${b}')).toThrow(/unknown variable/);
    expect(() => parseProperties('a')).toThrow(/key=value/);
  });
});
