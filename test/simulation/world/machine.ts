/** A computer: a name on the network, a disk that outlives its processes, a wall clock that may be wrong. It runs one process at a time. */
import { MemoryDisk } from '../../../src/runtime/testing/memory-disk.ts';
import type { Network } from './network.ts';
import { SimProcess } from './sim-process.ts';
import type { World } from './world.ts';

export class Machine {
  readonly name: string;
  readonly index: number;
  readonly world: World;
  readonly network: Network;
  readonly disk: MemoryDisk;
  /** Added to the wall clock. */
  wallOffsetMs = 0;
  /** How much longer than usual its fsync takes; above 1 some writes are held up too. */
  syncSlowness = 1;
  /** Without power it answers nothing, not even with a reset. */
  hasPower = true;
  #process: SimProcess | undefined;
  #incarnations = 0;

  constructor(network: Network, name: string, index: number) {
    this.network = network;
    this.world = network.world;
    this.name = name;
    this.index = index;
    this.disk = new MemoryDisk({ nowMs: () => this.world.nowMs });
    network.add(this);
  }

  /** The process that runs here; undefined between its death and the next start. */
  get process(): SimProcess | undefined {
    return this.#process?.isAlive === true ? this.#process : undefined;
  }

  get incarnations(): number {
    return this.#incarnations;
  }

  start(): SimProcess {
    if (this.process !== undefined) throw new Error(`${this.name} runs already`);
    this.hasPower = true;
    this.#process = new SimProcess(this, ++this.#incarnations);
    return this.#process;
  }

  /** SIGKILL: what was written is in the page cache and stays. */
  kill(): void {
    this.#process?.kill();
    this.disk.crash(this.world.random(`${this.name} disk ${this.#incarnations}`), 'keep');
  }

  /** The power goes: what wasn't synced is lost, or torn. Its peers hear nothing. */
  losePower(mode: 'tear' | 'lose'): void {
    this.#process?.kill(true);
    this.hasPower = false;
    this.disk.crash(this.world.random(`${this.name} disk ${this.#incarnations}`), mode);
  }
}
