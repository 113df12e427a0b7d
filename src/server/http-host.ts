/**
 * The browser host's HTTP server: the renderer's files and one WebSocket, `/rpc`, on loopback only. Every refusal is one short
 * text; nothing of the request is echoed. What a connection may hold is bounded: 4 KiB of headers, 1 MiB a message, a number of sockets.
 */
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { SECURITY_HEADERS } from '../console/contract/content-security-policy.ts';
import { MAX_REQUEST_CHARS } from '../console/transport/channel.ts';
import type { Channel } from '../console/transport/channel.ts';
import { serverSocketChannel } from '../console/transport/websocket-channel.ts';
import { AccessControl } from './access.ts';
import type { Refusal } from './access.ts';
import { listAssets } from './assets.ts';
import type { Asset } from './assets.ts';

const MAX_HEADER_BYTES = 4096;
const MAX_CONNECTIONS = 256;
const MAX_SOCKETS = 32;
const HOST = '127.0.0.1';
/** Where `startHttpHost` looks for a free port when none is asked for. */
const ANY_PORT = 0;

export interface HttpHostOptions {
  /** 0 or missing: any free one. */
  readonly port?: number;
  readonly assetsDir: string;
  /** A page has connected, with a session. */
  onChannel(channel: Channel): void;
}

export interface HttpHost {
  readonly port: number;
  /** Without a token: what a browser that has a session opens. */
  readonly origin: string;
  /** A URL with a new one-time token. */
  issueUrl(): string;
  close(): Promise<void>;
}

const REFUSALS: Record<Refusal, { status: number; text: string }> = {
  host: { status: 421, text: 'This server does not answer to that name.' },
  origin: { status: 403, text: 'Requests from other origins are refused.' },
  session: {
    status: 403,
    text: 'Open the console with the address that samsa printed: it carries a one-time token. A new one: npx samsa serve',
  },
};

/** Rejects with Node's error (EADDRINUSE, EACCES) or when `assetsDir` is not a built renderer. */
export async function startHttpHost(options: HttpHostOptions): Promise<HttpHost> {
  const assets = await listAssets(options.assetsDir);
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: 10_000, requestTimeout: 10_000, keepAliveTimeout: 5000 });
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, options.port ?? ANY_PORT);
  const { port } = server.address() as AddressInfo;
  const access = new AccessControl(port);
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_REQUEST_CHARS, perMessageDeflate: false, clientTracking: true });

  server.on('request', (request, response) => answer(request, response, access, assets));
  server.on('upgrade', (request, socket, head) => {
    const refusal = upgradeRefusal(request, access, sockets.clients.size);
    if (refusal) refuseUpgrade(socket, refusal.status, refusal.text);
    else sockets.handleUpgrade(request, socket, head, (webSocket) => options.onChannel(serverSocketChannel(webSocket, MAX_REQUEST_CHARS)));
  });
  const origin = `http://${HOST}:${port}`;
  return {
    port,
    origin,
    issueUrl: () => `${origin}/?token=${access.issueToken()}`,
    async close() {
      for (const socket of sockets.clients) socket.close(1001, 'the console is closing');
      sockets.close();
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      server.closeAllConnections();
      for (const socket of sockets.clients) socket.terminate();
      await closed;
    },
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: HOST, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function answer(request: IncomingMessage, response: ServerResponse, access: AccessControl, assets: ReadonlyMap<string, Asset>): void {
  const refusal = access.addressRefusal(request, false);
  if (refusal) return text(response, REFUSALS[refusal].status, REFUSALS[refusal].text);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    return text(response, 405, 'Only GET and HEAD are answered here.');
  }
  const url = parseUrl(request.url);
  if (url === undefined) return text(response, 400, 'The address is malformed.');
  const token = url.searchParams.get('token');
  if (url.pathname === '/' && token !== null) return exchange(response, access, token, access.hasSession(request));
  if (!access.hasSession(request)) return text(response, REFUSALS.session.status, REFUSALS.session.text);
  const asset = assets.get(url.pathname);
  if (asset === undefined) return text(response, 404, 'There is nothing here.');
  sendAsset(request, response, asset);
}

/** A good token becomes a cookie; with a session already, a used one does no harm (the user opened the link again). */
function exchange(response: ServerResponse, access: AccessControl, token: string, hasSession: boolean): void {
  const cookie = access.exchangeToken(token);
  if (cookie === undefined && !hasSession) return text(response, REFUSALS.session.status, REFUSALS.session.text);
  if (cookie !== undefined) response.setHeader('set-cookie', cookie);
  response.setHeader('location', '/');
  text(response, 303, 'The console is at /.');
}

function sendAsset(request: IncomingMessage, response: ServerResponse, asset: Asset): void {
  const headers = { ...SECURITY_HEADERS, 'content-type': asset.contentType, 'cache-control': asset.cacheControl };
  if (request.method === 'HEAD') {
    response.writeHead(200, headers).end();
    return;
  }
  const file = createReadStream(asset.file);
  // Gone since the start: an update put other files in its place.
  file.on('error', () => (response.headersSent ? response.destroy() : text(response, 404, 'It is not there any more.')));
  response.on('close', () => file.destroy());
  file.once('open', () => {
    response.writeHead(200, headers);
    file.pipe(response);
  });
}

function text(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { ...SECURITY_HEADERS, 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
  response.end(`${body}\n`);
}

function upgradeRefusal(
  request: IncomingMessage,
  access: AccessControl,
  openSockets: number,
): { status: number; text: string } | undefined {
  const refusal = access.addressRefusal(request, true) ?? (access.hasSession(request) ? undefined : 'session');
  if (refusal) return REFUSALS[refusal];
  if (parseUrl(request.url)?.pathname !== '/rpc') return { status: 404, text: 'There is nothing here.' };
  if (openSockets >= MAX_SOCKETS) return { status: 503, text: 'Too many pages are connected.' };
  return undefined;
}

function refuseUpgrade(socket: Duplex, status: number, body: string): void {
  socket.on('error', () => socket.destroy());
  const headers = `content-type: text/plain; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close`;
  socket.end(`HTTP/1.1 ${status} Refused\r\n${headers}\r\n\r\n${body}`);
}

function parseUrl(url: string | undefined): URL | undefined {
  // Only the origin form (`/path`): a full URL in the request line is a proxy's.
  if (!url?.startsWith('/')) return undefined;
  return URL.parse(`http://console${url}`) ?? undefined;
}
