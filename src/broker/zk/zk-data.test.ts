import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBrokerInfo, encodeBrokerInfo } from './broker-info.ts';
import { initialLeaderAndIsr } from './leader-and-isr.ts';
import { replicaAssignmentOf } from './replica-assignment.ts';
import {
  decodeClusterId,
  decodeConfigChange,
  decodeConfigs,
  decodeController,
  decodeControllerEpoch,
  decodeFeatures,
  decodeLogDirEvent,
  decodePartitionList,
  decodePartitionState,
  decodeProducerIdBlock,
  decodeReassignments,
  decodeTopic,
  encodeClusterId,
  encodeConfigChange,
  encodeConfigs,
  encodeController,
  encodeControllerEpoch,
  encodeFeatures,
  encodeLogDirEvent,
  encodePartitionList,
  encodePartitionState,
  encodeProducerIdBlock,
  encodeReassignments,
  encodeTopic,
} from './zk-data.ts';
import { ZNodeFormatError } from './znode-json.ts';
import { desanitizeEntityName, sanitizeEntityName } from './zk-paths.ts';

const json = (buffer: Buffer): unknown => JSON.parse(buffer.toString('utf8'));
const bytes = (value: unknown): Buffer => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

describe('znodes are written as Kafka 3.9 writes them', () => {
  it('/brokers/ids/N in version 5, the timestamp a string, host and port of the first PLAINTEXT endpoint', () => {
    const broker = {
      id: 1,
      endpoints: [
        { listenerName: 'EXTERNAL', securityProtocol: 'SSL', host: 'e', port: 9093 },
        { listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: '::1', port: 9092 },
      ],
      rack: 'r1',
      features: {},
      jmxPort: -1,
    } as const;
    const data = encodeBrokerInfo(broker, 1_700_000_000_000);
    expect(json(data)).toEqual({
      version: 5,
      host: '::1',
      port: 9092,
      jmx_port: -1,
      timestamp: '1700000000000',
      endpoints: ['EXTERNAL://e:9093', 'PLAINTEXT://[::1]:9092'],
      rack: 'r1',
      listener_security_protocol_map: { EXTERNAL: 'SSL', PLAINTEXT: 'PLAINTEXT' },
      features: {},
    });
    expect(decodeBrokerInfo(1, '/brokers/ids/1', data)).toEqual(broker);
    expect(json(encodeBrokerInfo({ ...broker, endpoints: [broker.endpoints[0]], rack: undefined }, 1))).toMatchObject({
      host: null,
      port: -1,
    });
  });

  it.each([
    ['/controller', encodeController(1, 5), { version: 2, brokerid: 1, timestamp: '5', kraftControllerEpoch: -1 }],
    ['/cluster/id', encodeClusterId('abc'), { version: '1', id: 'abc' }],
    [
      '/brokers/topics/T',
      encodeTopic({ topicId: 'tid', partitions: new Map([[0, { replicas: [3, 1, 2], addingReplicas: [3], removingReplicas: [2] }]]) }),
      { version: 3, partitions: { '0': [3, 1, 2] }, adding_replicas: { '0': [3] }, removing_replicas: { '0': [2] }, topic_id: 'tid' },
    ],
    [
      '…/state',
      encodePartitionState({ leaderAndIsr: initialLeaderAndIsr(1, [1, 2]), controllerEpoch: 4 }),
      { version: 1, leader: 1, leader_epoch: 0, controller_epoch: 4, isr: [1, 2] },
    ],
    [
      '…/state while recovering',
      encodePartitionState({ leaderAndIsr: { ...initialLeaderAndIsr(1, [1]), leaderRecoveryState: 1 }, controllerEpoch: 4 }),
      { version: 1, leader: 1, leader_epoch: 0, controller_epoch: 4, isr: [1], leader_recovery_state: 1 },
    ],
    ['/config/topics/T', encodeConfigs({ 'flush.ms': '1' }), { version: 1, config: { 'flush.ms': '1' } }],
    ['/config/changes/…', encodeConfigChange('topics/T'), { version: 2, entity_path: 'topics/T' }],
    [
      '/isr_change_notification/…',
      encodePartitionList([{ topic: 't', partition: 0 }]),
      { version: 1, partitions: [{ topic: 't', partition: 0 }] },
    ],
    [
      '/admin/reassign_partitions',
      encodeReassignments([{ topic: 't', partition: 0, replicas: [1, 2] }]),
      { version: 1, partitions: [{ topic: 't', partition: 0, replicas: [1, 2] }] },
    ],
    ['/log_dir_event_notification/…', encodeLogDirEvent(1), { version: 1, broker: 1, event: 1 }],
    [
      '/latest_producer_id_block',
      encodeProducerIdBlock({ brokerId: 1, firstProducerId: 0, lastProducerId: 999 }),
      { version: 1, broker: 1, block_start: '0', block_end: '999' },
    ],
    ['/feature', encodeFeatures({ enabled: true, features: {} }), { version: 2, status: 1, features: {} }],
  ])('%s', (_, data, expected) => {
    expect(json(data)).toEqual(expected);
  });

  it('/controller_epoch as decimal digits', () => {
    expect(encodeControllerEpoch(12).toString()).toBe('12');
    expect(decodeControllerEpoch('/controller_epoch', bytes('12'))).toBe(12);
  });
});

describe('older versions are read', () => {
  it('broker registrations 1 to 4', () => {
    const v1 = { version: 1, host: 'h', port: 9092, jmx_port: 9999, timestamp: '1' };
    expect(decodeBrokerInfo(1, 'p', bytes(v1)).endpoints).toEqual([
      { listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: 'h', port: 9092 },
    ]);
    const v2 = { version: 2, host: 'h', port: 9092, jmx_port: -1, timestamp: '1', endpoints: ['PLAINTEXT://h:9092', 'SSL://h:9093'] };
    expect(decodeBrokerInfo(1, 'p', bytes(v2)).endpoints.map(({ securityProtocol }) => securityProtocol)).toEqual(['PLAINTEXT', 'SSL']);
    const v4 = { ...v2, version: 4, rack: 'a', endpoints: ['CLIENT://h:1'], listener_security_protocol_map: { CLIENT: 'SASL_SSL' } };
    expect(decodeBrokerInfo(1, 'p', bytes(v4))).toMatchObject({
      rack: 'a',
      endpoints: [{ listenerName: 'CLIENT', securityProtocol: 'SASL_SSL' }],
    });
  });

  it('topics of version 1 without id and reassignment, controllers of version 1, notifications of version 1, feature ranges', () => {
    expect(decodeTopic('p', bytes({ version: 1, partitions: { '0': [1] } }))).toEqual({
      topicId: undefined,
      partitions: new Map([[0, replicaAssignmentOf([1])]]),
    });
    expect(decodeController('p', bytes({ version: 1, brokerid: 3, timestamp: '7' }))).toEqual({
      brokerId: 3,
      timestampMs: 7,
      kraftControllerEpoch: -1,
    });
    expect(decodeConfigChange('p', bytes({ version: 1, entity_type: 'topics', entity_name: 't' }))).toBe('topics/t');
    const features = { version: 1, status: 1, features: { f: { min_version_level: 1, max_version_level: 2 } } };
    expect(decodeFeatures('p', bytes(features))).toEqual({ enabled: true, features: { f: 2 } });
  });

  it('takes the partition epoch from the znode version and RECOVERED where nothing is said', () => {
    const state = decodePartitionState('p', bytes({ version: 1, leader: 1, leader_epoch: 2, controller_epoch: 3, isr: [1] }), 7);
    expect(state).toEqual({
      leaderAndIsr: { leader: 1, leaderEpoch: 2, isr: [1], leaderRecoveryState: 0, partitionEpoch: 7 },
      controllerEpoch: 3,
    });
  });

  it('an empty configuration znode as no configuration', () => {
    expect(decodeConfigs('p', Buffer.alloc(0))).toEqual({});
    expect(decodeConfigs('p', bytes({ version: 1 }))).toEqual({});
  });
});

it('entity names survive the path, percent-encoded as Java does it', () => {
  expect(sanitizeEntityName("a b*c/d'~")).toBe('a%20b%2Ac%2Fd%27~');
  expect(sanitizeEntityName('<default>')).toBe('<default>');
  expect(desanitizeEntityName('%')).toBe('%');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (name) => {
      const sanitized = sanitizeEntityName(name);
      expect(sanitized).not.toContain('/');
      expect(desanitizeEntityName(sanitized)).toBe(name);
    }),
  );
});

const decoders: Record<string, (data: Buffer) => unknown> = {
  broker: (data) => decodeBrokerInfo(1, 'p', data),
  controller: (data) => decodeController('p', data),
  epoch: (data) => decodeControllerEpoch('p', data),
  cluster: (data) => decodeClusterId('p', data),
  topic: (data) => decodeTopic('p', data),
  state: (data) => decodePartitionState('p', data, 0),
  configs: (data) => decodeConfigs('p', data),
  change: (data) => decodeConfigChange('p', data),
  partitions: (data) => decodePartitionList('p', data),
  reassignments: (data) => decodeReassignments('p', data),
  logDir: (data) => decodeLogDirEvent('p', data),
  block: (data) => decodeProducerIdBlock('p', data),
  features: (data) => decodeFeatures('p', data),
};

/** JSON that looks like a znode's: its keys with values of any kind. */
const nearJson = fc
  .dictionary(
    fc.constantFrom(
      'version',
      'brokerid',
      'timestamp',
      'endpoints',
      'listener_security_protocol_map',
      'features',
      'partitions',
      'isr',
      'leader',
      'id',
      'config',
      'topic',
      'block_end',
      'host',
      'port',
      'entity_path',
      'adding_replicas',
      'leader_recovery_state',
    ),
    fc.jsonValue(),
  )
  .map((value) => Buffer.from(JSON.stringify(value)));

it.each(Object.keys(decoders))('reading %s from anything gives a value or a ZNodeFormatError', (name) => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array().map((array) => Buffer.from(array)),
        fc.json().map((text) => Buffer.from(text)),
        nearJson,
      ),
      (data) => {
        try {
          decoders[name]!(data);
        } catch (error) {
          expect(error).toBeInstanceOf(ZNodeFormatError);
        }
      },
    ),
    { numRuns: 300 },
  );
});
