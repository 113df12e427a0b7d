/** What every client has: a process of its own, a connection to each broker, a view of the cluster. */
import { NetworkClient } from '../../../src/client/network-client.ts';
import type { Node } from '../../../src/client/network-client.ts';
import type { Api } from '../../../src/protocol/api.ts';
import type { Runtime } from '../../../src/runtime/runtime.ts';
import { BROKER_PORT, type SimCluster } from '../cluster/sim-cluster.ts';
import type { SimProcess } from '../world/sim-process.ts';
import { ClusterView } from './cluster-view.ts';

const ADMIN_TIMEOUT_MS = 2500;

export class SimClient {
  readonly name: string;
  readonly process: SimProcess;
  readonly runtime: Runtime;
  readonly network: NetworkClient;
  readonly view: ClusterView;
  readonly brokers: readonly Node[];

  constructor(cluster: SimCluster, name: string, index: number, { comparesEpochs = true }: { readonly comparesEpochs?: boolean } = {}) {
    this.name = name;
    this.process = cluster.addClientMachine(name, index);
    this.runtime = this.process.runtime;
    this.brokers = cluster.brokers.map((machine, at) => ({ id: at + 1, host: machine.name, port: BROKER_PORT }));
    this.network = new NetworkClient({
      runtime: this.runtime,
      clientId: name,
      requestTimeoutMs: 3000,
      connectionSetupTimeoutMs: 1500,
      reconnectBackoffMs: 30,
      reconnectBackoffMaxMs: 300,
      maxInFlightPerNode: 50,
    });
    this.view = new ClusterView({ client: this.network, brokers: this.brokers, random: this.runtime.random, comparesEpochs });
  }

  /** To a broker by chance; undefined when no answer came. */
  sendToAny<Req, Res, ReqIn extends object, ResIn>(api: Api<Req, Res, ReqIn, ResIn>, body: ReqIn): Promise<Res | undefined> {
    const node = this.brokers[this.runtime.random.int(this.brokers.length)];
    if (node === undefined) return Promise.resolve(undefined);
    return this.network.send(node, api, body, { timeoutMs: ADMIN_TIMEOUT_MS }).catch(() => undefined);
  }
}
