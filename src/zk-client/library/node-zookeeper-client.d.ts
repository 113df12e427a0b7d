/** The parts of node-zookeeper-client 1.1.3 (untyped) that the adapter uses, with what it reaches for inside. */
declare module 'node-zookeeper-client/lib/ConnectionManager.js' {
  import type { EventEmitter } from 'node:events';
  import type { Socket } from 'node:net';
  import type { JuteRequest, JuteResponse } from 'node-zookeeper-client/lib/jute/index.js';

  export interface Packet {
    readonly request: JuteRequest;
    readonly callback: (error: LibraryError | null | undefined, response?: JuteResponse) => void;
  }
  export interface LibraryError extends Error {
    readonly code: number;
  }
  export interface ServerAddress {
    readonly host: string;
    readonly port: number;
  }
  class ConnectionManager extends EventEmitter {
    constructor(connectString: string, options: object, stateListener: (state: number) => void);
    servers: ServerAddress[];
    state: number;
    sessionTimeout: number;
    pendingBuffer: Buffer | null;
    socket: Socket | undefined;
    packetQueue: { queue: Packet[] };
    pendingQueue: Packet[];
    watcherManager: object;
    zxid: Buffer;
    connect(): void;
    setState(state: number): void;
    queue(request: JuteRequest, callback: Packet['callback']): void;
    onSocketData(chunk: Buffer): void;
    getSessionId(): Buffer;
    getSessionPassword(): Buffer;
    static readonly STATES: {
      readonly DISCONNECTED: number;
      readonly CONNECTING: number;
      readonly CONNECTED: number;
      readonly CLOSING: number;
      readonly CLOSED: number;
      readonly SESSION_EXPIRED: number;
    };
  }
  export default ConnectionManager;
}

declare module 'node-zookeeper-client/lib/jute/index.js' {
  export interface JuteRecord {
    [field: string]: unknown;
  }
  export interface JuteHeader {
    xid: number;
    type: number;
  }
  export interface JuteRequest {
    readonly header: JuteHeader;
    readonly payload: object | null;
  }
  /** int64s are buffers of 8 bytes. */
  export interface LibraryStat {
    readonly czxid: Buffer;
    readonly mzxid: Buffer;
    readonly ctime: Buffer;
    readonly mtime: Buffer;
    readonly version: number;
    readonly cversion: number;
    readonly aversion: number;
    readonly ephemeralOwner: Buffer;
    readonly dataLength: number;
    readonly numChildren: number;
    readonly pzxid: Buffer;
  }
  export interface TransactionResult {
    readonly type: number;
    readonly path?: string;
    readonly stat?: LibraryStat;
    readonly err?: number;
  }
  export interface JuteResponse {
    readonly header: { readonly err: number };
    readonly payload: {
      readonly path: string;
      readonly data: Buffer | undefined;
      readonly stat: LibraryStat;
      readonly children: string[];
      readonly acl: readonly { readonly perms: number; readonly id: { readonly scheme: string; readonly id: string } }[];
      readonly results: TransactionResult[];
    } | null;
  }
  interface Jute {
    readonly Request: new (header: JuteHeader, payload: object | null) => JuteRequest;
    readonly TransactionRequest: new (ops: readonly object[]) => object;
    readonly protocol: Record<'RequestHeader', new (xid?: number, type?: number) => JuteHeader> &
      Record<string, new (...fields: unknown[]) => JuteRecord>;
  }
  const jute: Jute;
  export default jute;
}
