/** The answer to `controller.describe`: what the controller does and waits for. Only the broker in office knows more than who it is. */
export interface ControllerAnswer {
  readonly brokerId: number;
  /** Wall clock of the process. */
  readonly nowMs: number;
  /** Whether this broker is the controller. */
  readonly isActive: boolean;
  /** The controller as this broker last saw it in ZooKeeper, -1 for none. */
  readonly activeControllerId: number;
  /** 0 unless this broker is it. */
  readonly controllerEpoch: number;
  /** Since when this broker has been in office; null unless it is. */
  readonly activeSinceMs: number | null;
  readonly queue: {
    readonly length: number;
    /** The first of those that wait. */
    readonly waiting: readonly string[];
    readonly current: { readonly name: string; readonly startedAtMs: number } | null;
    /** Since the process started. */
    readonly queueTimes: ControllerTimes;
    readonly processingTimes: ControllerTimes;
  };
  /** The last ones, oldest first. */
  readonly recentEvents: readonly {
    readonly name: string;
    /** Kafka's ControllerState. */
    readonly state: string;
    readonly startedAtMs: number;
    readonly queuedMs: number;
    readonly durationMs: number;
    readonly failed: boolean;
  }[];
  readonly brokers: readonly {
    readonly brokerId: number;
    readonly brokerEpoch: number;
    readonly shuttingDown: boolean;
    /** Requests of the controller that wait for it. */
    readonly queuedRequests: number;
  }[];
  readonly counts: {
    readonly offlinePartitions: number;
    readonly preferredReplicaImbalance: number;
    readonly globalTopics: number;
    readonly globalPartitions: number;
    readonly topicsToDelete: number;
    readonly replicasToDelete: number;
    readonly ineligibleTopicsToDelete: number;
    readonly ineligibleReplicasToDelete: number;
    readonly activeBrokers: number;
  };
  /** At most `max`, see `reassignmentCount`. How far behind an added replica is, its leader knows: `replication.reassigning`. */
  readonly reassignments: readonly {
    readonly topic: string;
    readonly partition: number;
    /** The replicas once it is through. */
    readonly targetReplicas: readonly number[];
    readonly addingReplicas: readonly number[];
    readonly removingReplicas: readonly number[];
    /** -1 for none. */
    readonly leader: number;
    readonly isr: readonly number[];
    /** Target replicas that are not in the ISR yet, and those of them whose broker is gone. */
    readonly missingReplicas: readonly number[];
    readonly offlineReplicas: readonly number[];
  }[];
  readonly reassignmentCount: number;
  readonly topicsBeingDeleted: readonly {
    readonly topic: string;
    readonly started: boolean;
    /** Why it waits; null when nothing holds it up. */
    readonly haltedBecause: string | null;
    readonly replicasLeft: number;
  }[];
}

export interface ControllerTimes {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}
