/**
 * ControlledShutdown, API 7. A broker that is about to stop asks the controller to move its leaderships.
 *
 * v0 goes with request header 0, the only message that does. v2 (KIP-380): brokerEpoch. v3: flexible.
 */
import { array, defineApi, field } from '../generator/definition.ts';

export default defineApi({
  key: 7,
  name: 'ControlledShutdown',
  versions: '0-3',
  flexible: '3+',
  request: [field('brokerId', 'int32', '0+'), field('brokerEpoch', 'int64', '2+', { default: -1, ignorable: true })],
  response: [
    field('errorCode', 'int16', '0+'),
    field(
      'remainingPartitions',
      array('RemainingPartition', [field('topicName', 'string', '0+'), field('partitionIndex', 'int32', '0+')]),
      '0+',
    ),
  ],
});
