/**
 * What the network layer is doing at this moment, as plain data: the picture of acceptor, processors, queue and handlers that the
 * console draws. Costs a walk over the connections; nothing is kept for it.
 */
import type { KafkaChannel } from './kafka-channel.ts';
import type { SocketServer } from './socket-server.ts';

export interface ConnectionSnapshot {
  readonly connectionId: string;
  readonly listenerName: string;
  readonly clientAddress: string;
  readonly clientPort: number;
  readonly clientId: string | null;
  readonly clientSoftware: string;
  readonly principal: string;
  readonly connectedForMs: number;
  readonly idleForMs: number;
  readonly requestCount: number;
  /** The request in progress: undefined while the connection waits for its next one. */
  readonly request: { readonly api: string; readonly version: number; readonly ageMs: number; readonly isAnswered: boolean } | undefined;
}

export interface ProcessorSnapshot {
  readonly id: number;
  readonly idleRatio: number;
  readonly responseQueueSize: number;
  /** The full request queue keeps it from reading. */
  readonly isBlocked: boolean;
  readonly connections: readonly ConnectionSnapshot[];
}

export interface NetworkSnapshot {
  readonly processors: readonly ProcessorSnapshot[];
  readonly requestQueue: { readonly size: number; readonly capacity: number };
  readonly handlers: { readonly active: number; readonly size: number; readonly idleRatio: number };
  readonly memoryUsedBytes: number;
  readonly connectionCount: number;
}

/** @param nowMs the monotonic clock. */
export function networkSnapshot(server: SocketServer, nowMs: number): NetworkSnapshot {
  const pool = server.requestHandlerPool;
  return {
    processors: server.processors.map(({ id, idleRatio, responseQueueSize, isBlocked, channels }) => ({
      id,
      idleRatio,
      responseQueueSize,
      isBlocked,
      connections: Array.from(channels, (channel) => connectionSnapshot(channel, nowMs)),
    })),
    requestQueue: { size: server.requestChannel.size, capacity: server.requestChannel.capacity },
    handlers: { active: pool?.active ?? 0, size: pool?.size ?? 0, idleRatio: pool?.idleRatio ?? 1 },
    memoryUsedBytes: server.memoryPool.usedBytes,
    connectionCount: server.quotas.count,
  };
}

function connectionSnapshot(channel: KafkaChannel, nowMs: number): ConnectionSnapshot {
  const { current, principal } = channel;
  return {
    connectionId: channel.id,
    listenerName: channel.listenerName,
    clientAddress: channel.remoteAddress,
    clientPort: channel.remotePort,
    clientId: channel.clientId,
    clientSoftware: `${channel.clientSoftwareName} ${channel.clientSoftwareVersion}`,
    principal: `${principal.type}:${principal.name}`,
    connectedForMs: nowMs - channel.connectedMs,
    idleForMs: nowMs - channel.lastActiveMs,
    requestCount: channel.requestCount,
    request:
      current === undefined
        ? undefined
        : { api: current.api.name, version: current.header.apiVersion, ageMs: nowMs - current.receivedMs, isAnswered: current.isAnswered },
  };
}
