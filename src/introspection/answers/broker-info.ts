/** The answer to `broker.info`. */
export interface BrokerInfo {
  readonly brokerId: number;
  readonly brokerEpoch: number;
  readonly clusterId: string;
  readonly isController: boolean;
  /** Wall clock of the process. */
  readonly nowMs: number;
  readonly uptimeMs: number;
  readonly memory: { readonly rssBytes: number; readonly heapUsedBytes: number; readonly externalBytes: number };
}
