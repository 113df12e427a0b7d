/**
 * Faults of the network, for a process of a local cluster: what goes to some ports, or comes from whoever connected to us, stands still.
 * Sockets stay open and nothing passes, as with a cable pulled: no error, no end; what was written waits and goes out when the fault is
 * lifted. It works on every socket of the process, also on those that a library opened: Node tells of them in its diagnostics channels.
 *
 * A connection belongs to who opened it. "1 can't reach 2" holds what 1 opened to 2, in both directions; what 2 opened to 1 goes on. For a
 * link that is cut both ways each side gets a fault.
 * Differs from a real network: a connection is still accepted by the other side's kernel, and then silent.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

export interface NetworkFault {
  /** Ports on this machine that what this process opens doesn't get through to. */
  readonly blockedPorts: readonly number[];
  /** Nothing passes on connections that others opened to this process. */
  readonly blockAccepted: boolean;
}

const NO_FAULT: NetworkFault = { blockedPorts: [], blockAccepted: false };
const CLIENT_CHANNEL = 'net.client.socket';
const SERVER_CHANNEL = 'net.server.socket';

interface Tracked {
  readonly socket: Socket;
  readonly accepted: boolean;
  held: boolean;
  /** The owner wants to read; told while it is held. */
  wantsToRead: boolean;
}

/** Watches the sockets of this process from its making on, so it is made before the first is opened. */
export class NetworkFaults {
  readonly #sockets = new Set<Tracked>();
  #fault: NetworkFault = NO_FAULT;

  constructor() {
    subscribe(CLIENT_CHANNEL, this.#onClientSocket);
    subscribe(SERVER_CHANNEL, this.#onServerSocket);
  }

  get fault(): NetworkFault {
    return this.#fault;
  }

  /** Takes the place of the fault before; sockets that are open are held or let go at once. */
  set(fault: NetworkFault): void {
    this.#fault = fault;
    for (const tracked of this.#sockets) this.#apply(tracked);
  }

  close(): void {
    unsubscribe(CLIENT_CHANNEL, this.#onClientSocket);
    unsubscribe(SERVER_CHANNEL, this.#onServerSocket);
    this.set(NO_FAULT);
    this.#sockets.clear();
  }

  readonly #onClientSocket = (message: unknown): void => {
    const { socket } = message as { socket: Socket };
    const tracked = this.#track(socket, false);
    // Before anybody else hears of the connection.
    socket.prependListener('connect', () => this.#apply(tracked));
  };

  readonly #onServerSocket = (message: unknown): void => {
    const { socket } = message as { socket: Socket };
    this.#apply(this.#track(socket, true));
  };

  #track(socket: Socket, accepted: boolean): Tracked {
    const tracked: Tracked = { socket, accepted, held: false, wantsToRead: true };
    this.#sockets.add(tracked);
    socket.once('close', () => this.#sockets.delete(tracked));
    return tracked;
  }

  #apply(tracked: Tracked): void {
    const { socket, accepted } = tracked;
    const blocked = accepted ? this.#fault.blockAccepted : this.#fault.blockedPorts.includes(socket.remotePort ?? -1);
    // A local socket has no port: the supervisor's channel is never held.
    if (blocked === tracked.held || socket.remotePort === undefined) return;
    tracked.held = blocked;
    if (blocked) this.#hold(tracked);
    else this.#release(tracked);
  }

  #hold(tracked: Tracked): void {
    const { socket } = tracked;
    tracked.wantsToRead = !socket.isPaused();
    socket.cork();
    socket.pause();
    // The owner's wishes are kept for later, and don't undo it.
    socket.pause = () => {
      tracked.wantsToRead = false;
      return socket;
    };
    socket.resume = () => {
      tracked.wantsToRead = true;
      return socket;
    };
  }

  #release(tracked: Tracked): void {
    const { socket } = tracked;
    Reflect.deleteProperty(socket, 'pause');
    Reflect.deleteProperty(socket, 'resume');
    socket.uncork();
    if (tracked.wantsToRead) socket.resume();
  }
}
