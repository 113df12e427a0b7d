import { describe, expect, it } from 'vitest';
import { ErrorCode } from '../protocol/errors.ts';
import { onLogDirFailure } from './broker-routes.ts';
import { CoordinatorFixture, GROUP_PARTITION } from './coordinator/testing/coordinator-fixture.ts';
import { LOG_DIR } from './log/testing/log-fixture.ts';
import { GROUP_METADATA_TOPIC_NAME } from './metadata/topic-names.ts';
import { replicaManagerFixture } from './replication/testing/replication-fixture.ts';

describe('a log dir that fails', () => {
  it('ends the coordination of the groups in it: a member must not live on here while another broker gives its partitions away', async () => {
    const replicas = replicaManagerFixture();
    replicas.leadTopic(GROUP_METADATA_TOPIC_NAME, 'AAAAAAAAAAAAAAAAAAAAAg', { partitionIndex: GROUP_PARTITION });
    const groups = await CoordinatorFixture.serving();
    const [memberId = ''] = groups.stableGroup(1);
    const generationId = groups.group.generationId;
    const parts = { replicaManager: replicas.manager, groupCoordinator: groups.coordinator };
    onLogDirFailure(parts, '/another');
    expect(groups.heartbeat(memberId, generationId)).toBe(ErrorCode.NONE);
    onLogDirFailure(parts, LOG_DIR);
    expect(groups.heartbeat(memberId, generationId)).toBe(ErrorCode.NOT_COORDINATOR);
  });
});
