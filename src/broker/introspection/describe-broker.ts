/** Answers `broker.info`. */
import type { BrokerInfo } from '../../introspection/answers/broker-info.ts';
import type { BrokerParts } from '../broker-parts.ts';

/** Of the process, which only its entry knows. */
export interface ProcessUsage {
  readonly uptimeMs: number;
  readonly memory: BrokerInfo['memory'];
}

export function describeBroker(parts: BrokerParts, { uptimeMs, memory }: ProcessUsage): BrokerInfo {
  const { config, clusterId, brokerEpoch, controller, runtime } = parts;
  return {
    brokerId: config.brokerId,
    brokerEpoch: brokerEpoch(),
    clusterId,
    isController: controller.isActive,
    nowMs: runtime.clock.wallMs(),
    uptimeMs,
    memory,
  };
}
