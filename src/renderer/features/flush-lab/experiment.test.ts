import { describe, expect, test } from 'vitest';
import type { FlushLabBroker, PowerLossReport, ReplicaFlush } from '../../../console/contract/flush-lab.ts';
import { outcomesOf } from './experiment.ts';
import type { Experiment } from './experiment.ts';

const replica = (of: Partial<ReplicaFlush>): ReplicaFlush => ({ partition: 0, isLeader: false, recovery: null, ...of }) as ReplicaFlush;
const report = (lostBytes: number, logEndOffset: number): PowerLossReport => ({
  brokerId: 1,
  atMs: 0,
  logs: [{ topic: 'lab', partition: 0, recoveryPoint: 40, highWatermark: 0, logEndOffset, lostBytes, files: [] }],
});

function experiment(of: Partial<Experiment> = {}): Experiment {
  const before = [replica({ logEndOffset: 100, recoveryPoint: 40 })];
  return { brokerId: 1, kind: 'powerLoss', atMs: 1_000, before, replicationFactor: 3, report: report(600, 105), ...of };
}
const answers = (after: Partial<ReplicaFlush>, startedAtMs = 2_000): FlushLabBroker =>
  ({ brokerId: 1, state: 'running', failure: null, flush: { startedAtMs, replicas: [replica(after)] } }) as unknown as FlushLabBroker;
const one = (of: Experiment, broker: FlushLabBroker | undefined) => outcomesOf(of, 'lab', broker)[0];

describe('what a kill cost', () => {
  test('is not told from what the broker said before it', () => {
    expect(one(experiment(), answers({ logEndOffset: 100, openedLogEndOffset: 100 }, 500))).toMatchObject({
      verdict: 'waiting',
      gone: null,
    });
    expect(one(experiment(), undefined)?.verdict).toBe('waiting');
  });

  test('of a plain kill is nothing, and nothing was cut', () => {
    const after = one(experiment({ kind: 'kill', report: null }), answers({ logEndOffset: 100, openedLogEndOffset: 100 }));
    expect(after).toMatchObject({ verdict: 'kept', gone: 0, cutBytes: null, recovery: 'nothing' });
  });

  test('of a power loss counts what was written after the last look too', () => {
    const after = one(experiment(), answers({ logEndOffset: 40, openedLogEndOffset: 40 }));
    expect(after).toMatchObject({ logEndOffsetBefore: 105, atRiskBefore: 65, gone: 65, cutBytes: 600, verdict: 'comingBack' });
  });

  test('is brought back by a leader that has it, and gone where there is none', () => {
    const back = answers({ logEndOffset: 105, openedLogEndOffset: 40 });
    expect(one(experiment(), back)?.verdict).toBe('cameBack');
    // New records of a load: they are not the old ones.
    expect(one(experiment({ replicationFactor: 1 }), answers({ logEndOffset: 300, openedLogEndOffset: 40, isLeader: true }))?.verdict).toBe(
      'gone',
    );
    expect(one(experiment(), answers({ logEndOffset: 40, openedLogEndOffset: 40, isLeader: true }))?.verdict).toBe('gone');
  });

  test('is nothing for a log that the power loss does not name: all of it was on the device', () => {
    const after = one(experiment({ report: { brokerId: 1, atMs: 0, logs: [] } }), answers({ logEndOffset: 100, openedLogEndOffset: 100 }));
    expect(after).toMatchObject({ cutBytes: 0, gone: 0, verdict: 'kept' });
  });
});
