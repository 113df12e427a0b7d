/** What one tries first with Debian's kafka-python 2.0.2, which speaks old versions. What is not served yet is in `README.md`. */
import { beforeAll, describe, expect, it } from 'vitest';
import { runPython } from '../support/kafka-python.ts';
import { sharedCluster } from '../support/shared-cluster.ts';

const cluster = sharedCluster();
/** Results of `basics.py` by step; an error is a string. */
const results = new Map<string, unknown>();

beforeAll(async () => {
  const out = await runPython('basics.py', [cluster.bootstrapServers]);
  for (const line of out.toString().trim().split('\n')) {
    const { step, result, error } = JSON.parse(line) as { step: string; result?: unknown; error?: string };
    results.set(step, error ?? result);
  }
});

describe('kafka-python', () => {
  it('takes the brokers for Kafka 2.4: it looks for DescribeAcls to see 2.5, and that is not served yet', () => {
    expect(results.get('version')).toEqual([2, 4, 0]);
  });

  it('sees three brokers and a controller', () => {
    expect(results.get('cluster')).toEqual({
      brokers: [1, 2, 3],
      controller: expect.any(Number),
      cluster: expect.stringMatching(/^[\w-]{22}$/),
    });
  });

  it('creates, describes, grows, configures and deletes topics', () => {
    expect(results.get('topics')).toEqual({ replicas: [2, 2, 2], again: 'exists', grown: 5, retention: ['60000'], gone: true });
  });

  it.each(['acks=0 None', 'acks=1 None', 'acks=all None', 'acks=all gzip', 'acks=all snappy', 'acks=all lz4', 'acks=all zstd'])(
    'produces with %s and reads it back',
    (settings) => {
      expect(results.get(`produce ${settings}`)).toEqual({ same: true, acknowledged: true });
    },
  );

  it('finds offsets: the first, the last, by time', () => {
    expect(results.get('offsets')).toEqual({ begin: 0, end: 3, 'at 1500': [1, 2000] });
  });

  it('forms groups that share partitions, take over from who leaves, and commit', () => {
    expect(results.get('group')).toEqual({ state: 'Stable', members: 2, committed: 600, read: 600, listed: true, deleted: ['NoError'] });
  });

  it('assigns and seeks by itself, and commits for a group', () => {
    expect(results.get('seek and manual commits')).toEqual({ offsets: [290, 291, 292, 293, 294, 295, 296, 297, 298, 299], committed: 300 });
  });
});
