/** A picture of the controller for introspection: plain data, copied. */
import type { ControllerChannelManager } from './controller-channel-manager.ts';
import type { ControllerContext, ControllerCounts } from './controller-context.ts';

export interface ControllerDescription {
  readonly isActive: boolean;
  /** -1 for none. */
  readonly activeControllerId: number;
  readonly epoch: number;
  readonly state: string;
  readonly eventQueueSize: number;
  readonly brokers: readonly {
    readonly brokerId: number;
    readonly brokerEpoch: number;
    readonly shuttingDown: boolean;
    readonly queuedRequests: number;
  }[];
  readonly counts: ControllerCounts;
  readonly topicsBeingDeleted: readonly { readonly topic: string; readonly started: boolean; readonly halted: boolean }[];
}

export interface DescribeControllerInput {
  readonly isActive: boolean;
  readonly activeControllerId: number;
  readonly state: string;
  readonly queueSize: number;
  readonly context: ControllerContext;
  readonly channelManager: ControllerChannelManager;
}

export function describeController({
  isActive,
  activeControllerId,
  state,
  queueSize,
  context,
  channelManager,
}: DescribeControllerInput): ControllerDescription {
  return {
    isActive,
    activeControllerId,
    epoch: context.epoch,
    state,
    eventQueueSize: queueSize,
    brokers: context.liveOrShuttingDownBrokerIds.map((brokerId) => ({
      brokerId,
      brokerEpoch: context.brokerEpoch(brokerId) ?? -1,
      shuttingDown: context.shuttingDownBrokerIds.has(brokerId),
      queuedRequests: channelManager.queueSize(brokerId),
    })),
    counts: context.counts(),
    topicsBeingDeleted: Array.from(context.topicsToBeDeleted, (topic) => ({
      topic,
      started: context.topicsWithDeletionStarted.has(topic),
      halted: context.topicsIneligibleForDeletion.has(topic),
    })),
  };
}
