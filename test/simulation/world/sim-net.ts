/**
 * The sockets of one process. Each socket is one end of a connection; what it writes travels in segments through the network to the
 * other end's receive buffer, and from there to the process when its event loop is free and it hasn't paused the socket.
 */
import type { Endpoint, Listener, Net, Socket, SocketHandler } from '../../../src/runtime/net.ts';
import { EventKind } from './event-queue.ts';
import type { SimProcess } from './sim-process.ts';

/** What the sender's and the receiver's kernel hold together before `write` says to wait. */
const SEND_BUFFER_BYTES = 256 * 1024;
const SPLIT_SHARE = 0.02;

export class SimNet implements Net {
  readonly #process: SimProcess;
  readonly #listeners = new Set<string>();
  readonly #sockets = new Set<SimSocket>();

  constructor(process: SimProcess) {
    this.#process = process;
  }

  listen(endpoint: Endpoint, onConnection: (socket: Socket) => void): Promise<Listener> {
    const { machine } = this.#process;
    const { listeners } = machine.network;
    const port = 'path' in endpoint ? 0 : endpoint.port === 0 ? machine.network.nextPort() : endpoint.port;
    const key = 'path' in endpoint ? `${machine.name}:${endpoint.path}` : `${machine.name}:${port}`;
    if (listeners.has(key)) return Promise.reject(netError('EADDRINUSE', 'listen', key));
    listeners.set(key, {
      accept: (socket) => this.#process.schedule(this.#process.world.nowMs, EventKind.socket, () => onConnection(socket)),
      isOpen: () => listeners.has(key) && this.#process.isAlive,
    });
    this.#listeners.add(key);
    const close = (): Promise<void> => {
      listeners.delete(key);
      this.#listeners.delete(key);
      return Promise.resolve();
    };
    return Promise.resolve({ port, close });
  }

  connect(endpoint: Endpoint, handler: SocketHandler): Socket {
    const { machine } = this.#process;
    const to = 'path' in endpoint ? machine.name : endpoint.host;
    const port = 'path' in endpoint ? endpoint.path : endpoint.port;
    const socket = this.#socket(to, typeof port === 'number' ? port : 0, machine.network.nextPort());
    socket.setHandler(handler);
    const { network, world } = machine;
    const target = network.machine(to);
    if (target === undefined) {
      socket.fail(netError('ENOTFOUND', 'connect', to), 0);
      return socket;
    }
    const isWanted = (): boolean => socket.isOpen;
    const answer = (deliver: () => void): void =>
      network.carry(to, machine.name, world.nowMs + network.delayMs(to, machine.name), deliver, () => true);
    network.carry(
      machine.name,
      to,
      world.nowMs + network.delayMs(machine.name, to),
      () => {
        const listener = network.listeners.get(`${to}:${port}`);
        const acceptor = target.process;
        if (listener === undefined || acceptor === undefined || !listener.isOpen()) {
          answer(() => socket.fail(netError('ECONNREFUSED', 'connect', `${to}:${port}`), 0));
          return;
        }
        // The kernel accepts for a process that is held or paused.
        const accepted = acceptor.net.#socket(machine.name, socket.localPort, socket.remotePort);
        accepted.join(socket);
        socket.join(accepted);
        accepted.isConnected = true;
        listener.accept(accepted);
        answer(() => {
          if (socket.isOpen) socket.onConnected();
          else accepted.onReset();
        });
      },
      isWanted,
    );
    return socket;
  }

  /** The process is gone: its ports are free, its connections are reset, or silent. */
  onProcessDeath(losesPower: boolean): void {
    const { listeners } = this.#process.machine.network;
    for (const key of this.#listeners) listeners.delete(key);
    for (const socket of Array.from(this.#sockets)) socket.abandon(losesPower);
    this.#sockets.clear();
  }

  forget(socket: SimSocket): void {
    this.#sockets.delete(socket);
  }

  #socket(remoteAddress: string, remotePort: number, localPort: number): SimSocket {
    const socket = new SimSocket(this.#process, remoteAddress, remotePort, localPort);
    this.#sockets.add(socket);
    return socket;
  }
}

export class SimSocket implements Socket {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  isConnected = false;
  readonly #process: SimProcess;
  #handler: SocketHandler | undefined;
  #peer: SimSocket | undefined;
  #state: 'open' | 'ended' | 'closed' = 'open';
  #isPaused = false;
  #needsDrain = false;
  /** Written here and not yet taken by the other end's process. */
  #unconsumedBytes = 0;
  /** Written before there was a connection. */
  #early: Buffer[] = [];
  /** Sent segments in order; the first travels, the others follow no earlier. */
  #lastArrivalMs = 0;
  #underWay: { readonly sentMs: number; readonly deliver: () => void }[] = [];
  #isTravelling = false;
  /** Its machine has no power: nothing is sent again. */
  #isSilent = false;
  /** Received and not taken by the process; `end` stands for the other side's FIN. */
  readonly #received: (Buffer | 'end')[] = [];
  #isReading = false;

  constructor(process: SimProcess, remoteAddress: string, remotePort: number, localPort: number) {
    this.#process = process;
    this.localAddress = process.machine.name;
    this.localPort = localPort;
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
    process.machine.network.sockets.add(this);
  }

  get isOpen(): boolean {
    return this.#state !== 'closed';
  }

  get bufferedBytes(): number {
    return Math.max(0, this.#unconsumedBytes - SEND_BUFFER_BYTES);
  }

  join(peer: SimSocket): void {
    this.#peer = peer;
  }

  setHandler(handler: SocketHandler): void {
    if (this.#handler !== undefined) throw new Error('a socket has one handler');
    this.#handler = handler;
    this.#readSoon();
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#state !== 'open' || !this.#process.isAlive) return false;
    const bytes = Buffer.concat(chunks);
    this.#unconsumedBytes += bytes.length;
    if (this.isConnected) this.#send(bytes);
    else this.#early.push(bytes);
    this.#needsDrain = this.#unconsumedBytes > SEND_BUFFER_BYTES;
    return !this.#needsDrain;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#readSoon();
  }

  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ended';
    this.#sendEnd();
  }

  /** The kernel still sends what was written, then the end. */
  destroy(error?: Error): void {
    if (this.#state === 'closed') return;
    if (this.#state === 'open') this.#sendEnd();
    this.#close(error);
  }

  /** The connection can't be made. */
  fail(error: Error, delayMs: number): void {
    if (!this.isOpen) return;
    this.#process.schedule(this.#process.world.nowMs + delayMs, EventKind.socket, () => this.#close(error));
  }

  onConnected(): void {
    if (!this.isOpen) return;
    this.isConnected = true;
    this.#inProcess(() => {
      if (!this.isOpen) return;
      for (const bytes of this.#early.splice(0)) this.#send(bytes);
      this.#handler?.onConnect?.();
    });
  }

  /** The other kernel says that it knows no such connection, or the connection is broken on purpose. */
  onReset(): void {
    if (!this.isOpen) return;
    this.#received.length = 0;
    this.#inProcess(() => this.#close(netError('ECONNRESET', 'read', `${this.remoteAddress}:${this.remotePort}`)));
  }

  /** Its process is dead. */
  abandon(isSilent: boolean): void {
    if (!this.isOpen) return;
    this.#state = 'closed';
    this.#handler = undefined;
    this.#process.machine.network.sockets.delete(this);
    this.#isSilent = isSilent;
    if (!isSilent) this.#transmit(() => this.#peer?.onReset());
  }

  #send(bytes: Buffer): void {
    const { network, world } = this.#process.machine;
    world.traceBytes(bytes);
    if (bytes.length > 1 && network.random.next() < SPLIT_SHARE) {
      const at = 1 + network.random.int(bytes.length - 1);
      this.#transmit(() => this.#peer?.onSegment(bytes.subarray(0, at)));
      this.#transmit(() => this.#peer?.onSegment(bytes.subarray(at)));
    } else this.#transmit(() => this.#peer?.onSegment(bytes));
  }

  #sendEnd(): void {
    if (this.isConnected) this.#transmit(() => this.#peer?.onSegment('end'));
  }

  /** Sends a packet behind those under way. */
  #transmit(deliver: () => void): void {
    if (this.#peer === undefined) return;
    this.#underWay.push({ sentMs: this.#process.localMs, deliver });
    if (!this.#isTravelling) this.#travel();
  }

  #travel(): void {
    const { network, world } = this.#process.machine;
    this.#isTravelling = true;
    const from = this.localAddress;
    const to = this.remoteAddress;
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, this.#process.localMs + network.delayMs(from, to));
    const arrived = (): void => {
      this.#isTravelling = false;
      // What was sent meanwhile was on the wire too: it arrives in the same train.
      const nowMs = world.nowMs;
      const train = this.#underWay;
      this.#underWay = [];
      for (const segment of train) {
        if (segment.sentMs <= nowMs) segment.deliver();
        else this.#underWay.push(segment);
      }
      if (this.#underWay.length > 0 && !this.#isTravelling) this.#travel();
    };
    network.carry(from, to, Math.max(world.nowMs, this.#lastArrivalMs), arrived, () => !this.#isSilent);
  }

  onSegment(segment: Buffer | 'end'): void {
    if (this.#state === 'closed') {
      // Nobody is here any more: the kernel answers with a reset.
      if (segment !== 'end') this.#transmit(() => this.#peer?.onReset());
      return;
    }
    this.#received.push(segment);
    if (this.#canRead && this.#process.isFree && !this.#isReading) this.#process.world.runIn(this.#process, () => this.#read());
    else this.#readSoon();
  }

  /** As in Node, a paused socket is told of the end all the same when no bytes are before it. */
  get #canRead(): boolean {
    return this.#handler !== undefined && (!this.#isPaused || this.#received[0] === 'end') && this.#received.length > 0 && this.isOpen;
  }

  #readSoon(): void {
    if (!this.#canRead || this.#isReading) return;
    this.#isReading = true;
    this.#process.schedule(this.#process.world.nowMs, EventKind.socket, () => {
      this.#isReading = false;
      this.#read();
    });
  }

  /** Hands one segment to the process. */
  #read(): void {
    if (!this.#canRead) return;
    const segment = this.#received.shift();
    if (segment === 'end') {
      this.#handler?.onEnd?.();
      if (this.isOpen) this.destroy();
    } else if (segment !== undefined) {
      this.#peer?.onConsumed(segment.length);
      this.#handler?.onData(segment);
    }
    this.#readSoon();
  }

  /** The other end has taken bytes: there is room again. */
  onConsumed(bytes: number): void {
    this.#unconsumedBytes -= bytes;
    if (!this.#needsDrain || this.#unconsumedBytes > SEND_BUFFER_BYTES / 2) return;
    this.#needsDrain = false;
    this.#process.schedule(this.#process.world.nowMs, EventKind.socket, () => {
      if (this.isOpen) this.#handler?.onDrain?.();
    });
  }

  #inProcess(run: () => void): void {
    if (this.#process.isFree) this.#process.world.runIn(this.#process, run);
    else this.#process.schedule(this.#process.world.nowMs, EventKind.socket, run);
  }

  #close(error: Error | undefined): void {
    if (!this.isOpen) return;
    this.#state = 'closed';
    this.#received.length = 0;
    this.#process.machine.network.sockets.delete(this);
    this.#process.net.forget(this);
    const handler = this.#handler;
    this.#handler = undefined;
    // As in Node: not inside of the call that closed it.
    this.#process.schedule(this.#process.localMs, EventKind.socket, () => handler?.onClose(error));
  }
}

function netError(code: string, syscall: string, where: string): NodeJS.ErrnoException {
  const error: NodeJS.ErrnoException = new Error(`${syscall} ${code} ${where}`);
  error.code = code;
  error.syscall = syscall;
  return error;
}
