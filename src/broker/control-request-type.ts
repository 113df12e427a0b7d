/**
 * What LeaderAndIsr and UpdateMetadata say of themselves in `type`. FULL: what isn't listed isn't there. Kafka's controller in ZooKeeper says UNKNOWN
 * always, and its brokers look at FULL only of a KRaft controller, so that it changes nothing for them. Source: AbstractControlRequest.Type (KIP-866).
 */
export const ControlRequestType = { UNKNOWN: 0, FULL: 2 } as const;
export type ControlRequestType = (typeof ControlRequestType)[keyof typeof ControlRequestType];
