/** Debian's Chromium as the app's browser: started without a window to speak of, ended with its starter, its profile removed. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cdp } from './cdp.ts';

export const CHROMIUM = process.env['SAMSA_CHROMIUM'] ?? '/usr/bin/chromium';

/** What Chromium needs as root in a container, and what keeps it from talking to anyone. */
export const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-default-apps',
  '--disable-dev-shm-usage',
];

export interface HarnessBrowser {
  readonly cdp: Cdp;
  readonly endpoint: string;
  close(): Promise<void>;
}

const START_MS = 120_000;

export async function startBrowser(): Promise<HarnessBrowser> {
  // Beside the app's data, so that it goes with it, also after a kill.
  const profile = mkdtempSync(join(process.env['SAMSA_HOME'] ?? tmpdir(), 'samsa-harness-'));
  const child = spawn(
    CHROMIUM,
    [
      '--headless=new',
      ...CHROMIUM_FLAGS,
      '--remote-debugging-pipe',
      '--remote-debugging-port=0',
      `--user-data-dir=${profile}`,
      'about:blank',
    ],
    // The pipe (3 and 4) is spoken to by nobody: Chromium ends when its other end does, also when this process is killed.
    { stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'] },
  );
  const endpoint = await endpointOf(child);
  const cdp = await Cdp.connect(endpoint);
  return {
    cdp,
    endpoint,
    async close() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      cdp.send('Browser.close').catch(() => undefined);
      const timer = setTimeout(() => child.kill('SIGKILL'), 3_000);
      if (child.exitCode === null && child.signalCode === null) await ended;
      clearTimeout(timer);
      cdp.close();
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function endpointOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => reject(new Error(`Chromium did not start within ${START_MS} ms: ${text}`)), START_MS);
    child.stderr?.on('data', (chunk: Buffer) => {
      text = (text + chunk.toString()).slice(-8_000);
      const found = /DevTools listening on (ws:\/\/\S+)/.exec(text);
      if (found?.[1] === undefined) return;
      clearTimeout(timer);
      resolve(found[1]);
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`Chromium ended with ${code}: ${text}`)));
  });
}
