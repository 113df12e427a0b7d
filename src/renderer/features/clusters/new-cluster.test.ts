import { expect, test } from 'vitest';
import { readNewCluster } from './new-cluster.ts';
import type { NewClusterDraft } from './new-cluster.ts';

const draft: NewClusterDraft = {
  name: 'second',
  brokers: '3',
  logDirs: '1',
  ports: 'free',
  basePort: 'nothing that counts',
  zookeeper: 'embedded',
  zookeeperPort: '',
  connect: '',
};

test('what doesn’t count for the choice that was made is not looked at', () => {
  expect(readNewCluster(draft)).toEqual({
    cluster: { name: 'second', brokers: 3, basePort: null, logDirsPerBroker: 1, zookeeper: { kind: 'embedded', port: null } },
  });
  expect(readNewCluster({ ...draft, zookeeper: 'external', zookeeperPort: 'x', connect: ' a:1,b:2/here ' })).toMatchObject({
    cluster: { zookeeper: { kind: 'external', connect: 'a:1,b:2/here' } },
  });
});

test('names every field that is wrong at once', () => {
  const bad = { ...draft, name: '-x', brokers: '33', logDirs: '0', ports: 'fixed' as const, basePort: '65530', zookeeperPort: '70000' };
  expect(readNewCluster(bad)).toEqual({ wrong: new Set(['name', 'brokers', 'logDirs', 'port', 'zookeeperPort']) });
  expect(readNewCluster({ ...draft, zookeeper: 'external', connect: 'a b' })).toEqual({ wrong: new Set(['connect']) });
});

test('a fixed port leaves room for the brokers behind the first', () => {
  expect(readNewCluster({ ...draft, ports: 'fixed', basePort: '65533' })).toHaveProperty('cluster.basePort', 65_533);
  expect(readNewCluster({ ...draft, ports: 'fixed', basePort: '65534' })).toEqual({ wrong: new Set(['port']) });
});
