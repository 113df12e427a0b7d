import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { CONTENT_SECURITY_POLICY } from '../console/contract/content-security-policy.ts';
import type { Channel } from '../console/transport/channel.ts';
import { startHttpHost } from './http-host.ts';
import type { HttpHost } from './http-host.ts';

let host: HttpHost;
let cookie: string;
const assetsDir = mkdtempSync(join(tmpdir(), 'samsa-assets-'));
const channels: Channel[] = [];

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      { host: '127.0.0.1', port: host.port, path, method, headers: { connection: 'close', ...headers } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() }),
        );
      },
    );
    sent.on('error', reject);
    sent.end();
  });
}

/** The status of a refused upgrade, or 'open'. */
function upgrade(path: string, headers: Record<string, string>): Promise<number | 'open'> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${host.port}${path}`, { headers });
    socket.on('open', () => {
      socket.close();
      resolve('open');
    });
    socket.on('unexpected-response', (_, response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    socket.on('error', reject);
  });
}

function tokenOf(url: string): string {
  return new URL(url).searchParams.get('token') ?? '';
}

beforeAll(async () => {
  mkdirSync(join(assetsDir, 'assets'));
  writeFileSync(join(assetsDir, 'index.html'), '<!doctype html><title>Samsa</title>');
  writeFileSync(join(assetsDir, 'assets', 'index-AbCd_123.js'), 'export {};');
  writeFileSync(join(assetsDir, 'notes.secret'), 'not an asset');
  host = await startHttpHost({ assetsDir, onChannel: (channel) => channels.push(channel) });
  const exchanged = await get(`/?token=${tokenOf(host.issueUrl())}`);
  cookie = exchanged.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
});

afterAll(async () => {
  await host.close();
  rmSync(assetsDir, { recursive: true });
});

describe('the browser host', () => {
  test('exchanges a token once for a cookie that scripts cannot read, and redirects to a clean address', async () => {
    const token = tokenOf(host.issueUrl());
    const first = await get(`/?token=${token}`);
    expect(first.status).toBe(303);
    expect(first.headers.location).toBe('/');
    expect(first.headers['set-cookie']?.[0]).toMatch(new RegExp(`^samsa-${host.port}=[\\w-]{43}; Path=/; HttpOnly; SameSite=Strict$`));
    expect((await get(`/?token=${token}`)).status).toBe(403);
    // The same link again in the browser that used it just opens the console.
    expect((await get(`/?token=${token}`, { cookie })).status).toBe(303);
  });

  test('serves the page with the policy, unsniffed and unstored', async () => {
    const page = await get('/', { cookie });
    expect(page.status).toBe(200);
    expect(page.body).toContain('<title>Samsa</title>');
    expect(page.headers['content-security-policy']).toBe(CONTENT_SECURITY_POLICY);
    expect(page.headers['x-content-type-options']).toBe('nosniff');
    expect(page.headers['cache-control']).toBe('no-store');
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
  });

  test('serves hashed files as immutable, with their type', async () => {
    const asset = await get('/assets/index-AbCd_123.js', { cookie });
    expect(asset.headers['cache-control']).toContain('immutable');
    expect(asset.headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect((await get('/assets/index-AbCd_123.js', { cookie }, 'HEAD')).body).toBe('');
  });

  test('says of a file that an update has taken away that it is not there, and lets nobody keep that', async () => {
    const path = join(assetsDir, 'assets', 'index-AbCd_123.js');
    rmSync(path);
    const gone = await get('/assets/index-AbCd_123.js', { cookie });
    expect([gone.status, gone.headers['cache-control']]).toEqual([404, 'no-store']);
    writeFileSync(path, 'export {};');
    expect((await get('/assets/index-AbCd_123.js', { cookie })).body).toBe('export {};');
  });

  test.each(['/', '/index.html', '/assets/index-AbCd_123.js', '/nothing'])('gives nothing of %s without a session', async (path) => {
    expect((await get(path)).status).toBe(403);
    expect((await get(path, { cookie: `samsa-${host.port}=guess` })).status).toBe(403);
    expect((await get(`${path}?token=guess`)).status).toBe(403);
  });

  test.each([
    '/../package.json',
    '/assets/../../etc/passwd',
    '/%2e%2e/package.json',
    '/notes.secret',
    '/assets',
    '//etc/passwd',
    '/assets/..%2findex.html',
  ])('has nothing at %s', async (path) => {
    const answer = await get(path, { cookie });
    expect([400, 404]).toContain(answer.status);
  });

  test.each(['evil.example', 'evil.example:80', '127.0.0.1', 'localhost:1', '127.0.0.1.evil.example:9999'])(
    'refuses the Host %s',
    async (name) => {
      expect((await get('/', { cookie, host: name })).status).toBe(421);
    },
  );

  test('answers to localhost too, with its own origin', async () => {
    expect((await get('/', { cookie, host: `localhost:${host.port}`, origin: `http://localhost:${host.port}` })).status).toBe(200);
  });

  test.each(['http://evil.example', 'null', 'https://127.0.0.1', 'http://127.0.0.1:1'])('refuses the Origin %s', async (origin) => {
    expect((await get('/', { cookie, origin })).status).toBe(403);
    expect(await upgrade('/rpc', { cookie, origin })).toBe(403);
  });

  test('refuses what another site embeds', async () => {
    expect((await get('/assets/index-AbCd_123.js', { cookie, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' })).status).toBe(
      403,
    );
  });

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('refuses the method %s', async (method) => {
    const answer = await get('/', { cookie }, method);
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe('GET, HEAD');
  });

  test('refuses more than 4 KiB of headers', async () => {
    expect((await get('/', { cookie, padding: 'x'.repeat(5000) })).status).toBe(431);
  });

  test('refuses a request line that is not one, and lives', async () => {
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(host.port, '127.0.0.1', () => socket.end('\u0000\u0001garbage\r\n\r\n'));
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.on('close', () => resolve(text));
      socket.on('error', () => undefined);
    });
    expect(answer).toMatch(/^HTTP\/1.1 400/);
    expect((await get('/', { cookie })).status).toBe(200);
  });
});

describe('the WebSocket', () => {
  const origin = (): string => `http://127.0.0.1:${host.port}`;

  test('opens with a session and the right origin', async () => {
    const before = channels.length;
    expect(await upgrade('/rpc', { cookie, origin: origin() })).toBe('open');
    expect(channels).toHaveLength(before + 1);
  });

  test('is refused without a session, without an origin, under another name, at another path', async () => {
    expect(await upgrade('/rpc', { origin: origin() })).toBe(403);
    expect(await upgrade('/rpc', { cookie })).toBe(403);
    expect(await upgrade('/rpc', { cookie, origin: 'http://evil.example', host: 'evil.example' })).toBe(421);
    expect(await upgrade('/other', { cookie, origin: origin() })).toBe(404);
  });

  test('is closed by a message over 1 MiB', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${host.port}/rpc`, { headers: { cookie, origin: origin() } });
    const closed = new Promise<number>((resolve) => socket.on('close', resolve));
    socket.on('open', () => {
      channels.at(-1)?.start({ onMessage: () => undefined, onClose: () => undefined });
      socket.send('x'.repeat(1024 * 1024 + 1));
    });
    socket.on('error', () => undefined);
    expect([1006, 1009]).toContain(await closed);
  });
});

test('closing ends what is open and frees the port', async () => {
  const other = await startHttpHost({
    assetsDir,
    onChannel: (channel) => channel.start({ onMessage: () => undefined, onClose: () => undefined }),
  });
  const idle = connect(other.port, '127.0.0.1');
  const ended = new Promise((resolve) => idle.on('close', resolve));
  idle.on('error', () => undefined);
  await new Promise((resolve) => idle.once('connect', resolve));
  await other.close();
  await ended;
  const again = await startHttpHost({ assetsDir, port: other.port, onChannel: () => undefined });
  expect(again.port).toBe(other.port);
  await again.close();
});

test('a folder without a built renderer is refused, with what to do', async () => {
  const empty = mkdtempSync(join(tmpdir(), 'samsa-empty-'));
  await expect(startHttpHost({ assetsDir: empty, onChannel: () => undefined })).rejects.toThrow(/build the renderer first/);
  rmSync(empty, { recursive: true });
});
