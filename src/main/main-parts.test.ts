/** The parts of main that need no Electron; what does is proved in e2e/electron-main.spec.ts. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { CONTENT_SECURITY_POLICY } from '../console/contract/content-security-policy.ts';
import { silentLogger } from '../runtime/node/node-logger.ts';
import { createAppProtocolHandler } from './app-protocol.ts';
import { linkInArguments, pageUrlOfLink } from './deep-links.ts';
import { shutDown } from './shutdown.ts';

const folder = mkdtempSync(join(tmpdir(), 'samsa-protocol-'));
const rendererDir = join(folder, 'renderer');
mkdirSync(join(rendererDir, 'assets'), { recursive: true });
writeFileSync(join(rendererDir, 'index.html'), '<title>Samsa</title>');
writeFileSync(join(rendererDir, 'assets', 'a b.js'), 'export {};');
writeFileSync(join(folder, 'secret.js'), 'outside');
mkdirSync(join(folder, 'renderer-evil'));
writeFileSync(join(folder, 'renderer-evil', 'x.js'), 'outside');
afterAll(() => rmSync(folder, { recursive: true }));

describe("the app's protocol", () => {
  const handle = createAppProtocolHandler(rendererDir);
  const get = (url: string, method = 'GET'): Promise<Response> => handle({ url, method });

  test('serves the page with the policy, unstored', async () => {
    const response = await get('samsa-app://console/#/c/local');
    expect(await response.text()).toBe('<title>Samsa</title>');
    expect(response.headers.get('content-security-policy')).toBe(CONTENT_SECURITY_POLICY);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect((await get('samsa-app://console/assets/a%20b.js')).status).toBe(200);
  });

  test.each([
    'samsa-app://other/',
    'samsa-app://console/../secret.js',
    'samsa-app://console/..%2fsecret.js',
    'samsa-app://console/%2e%2e/renderer-evil/x.js',
    'samsa-app://console/..%2frenderer-evil%2fx.js',
    'samsa-app://console/..%5csecret.js',
    'samsa-app://console/%00index.html',
    'samsa-app://console/%',
    'samsa-app://console/assets',
    'samsa-app://console/nothing.js',
    'https://console/index.html',
    'not a url',
  ])('has nothing at %s', async (url) => {
    const response = await get(url);
    expect(response.status).toBe(404);
    expect(await response.text()).toBe('');
  });

  test('answers GET only', async () => {
    expect((await get('samsa-app://console/', 'POST')).status).toBe(405);
  });
});

describe('a deep link', () => {
  test('becomes a route of the page', () => {
    expect(pageUrlOfLink('samsa://open/c/local/topics/orders?seek=last')).toBe('samsa-app://console/#/c/local/topics/orders?seek=last');
    expect(pageUrlOfLink('samsa://open')).toBe('samsa-app://console/#/');
    // What has a meaning in HTML stays encoded.
    expect(pageUrlOfLink('samsa://open/a"<script>')).toBe('samsa-app://console/#/a%22%3Cscript%3E');
    expect(linkInArguments(['/usr/bin/samsa', '--flag', 'samsa://open/c'])).toBe('samsa://open/c');
    expect(linkInArguments(['/usr/bin/samsa', 'other://x'])).toBeUndefined();
  });

  test.each([
    'samsa://evil/x',
    'samsa-app://console/',
    'https://open/x',

    'samsa://open/x#y?javascript:1'.repeat(100),
    'samsa:open',
    '',
  ])('of the form %s is refused', (link) => {
    expect(pageUrlOfLink(link)).toBeUndefined();
  });
});

describe('the end', () => {
  test('goes step by step, and on when one fails or hangs', async () => {
    const order: string[] = [];
    const failed = await shutDown(
      [
        { name: 'window', deadlineMs: 1000, run: () => void order.push('window') },
        { name: 'console', deadlineMs: 5, run: () => new Promise(() => order.push('console')) },
        {
          name: 'cluster',
          deadlineMs: 1000,
          run: async () => {
            order.push('cluster');
            await Promise.resolve();
            throw new Error('refused');
          },
        },
        { name: 'rest', deadlineMs: 1000, run: () => void order.push('rest') },
      ],
      silentLogger,
    );
    expect(order).toEqual(['window', 'console', 'cluster', 'rest']);
    expect(failed).toEqual(['console', 'cluster']);
  });
});
