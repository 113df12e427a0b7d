/**
 * The app with a cluster of its own: an empty SAMSA_HOME, any free ports, one start per worker. `app` is the started app, `page` its page
 * (a fresh one for each test in the browser; the one window elsewhere), `bootstrapServers` where Kafka clients find the cluster.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { _electron, test as base, chromium } from '@playwright/test';
import type { Browser, ElectronApplication, Page } from '@playwright/test';
import { electronRuntime } from './electron-runtime.ts';
import { AppUnderTest } from './harness/app-under-test.ts';
import { makeHome } from './home.ts';
import type { TestHome } from './home.ts';

export type Host = 'browser' | 'harness' | 'electron';

export interface HostOptions {
  host: Host;
  logDirsPerBroker: number;
}

export interface RunningApp {
  readonly host: Host;
  readonly home: TestHome;
  readonly bootstrapServers: string;
  /** The harness's line to the app; undefined in other hosts. */
  readonly harness: AppUnderTest | undefined;
  /** The URL of the browser host with its token; undefined in other hosts. */
  readonly url: string | undefined;
  openPage(): Promise<{ readonly page: Page; close(): Promise<void> }>;
  stop(): Promise<void>;
}

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const START_MS = 120_000;

export const test = base.extend<{ appPage: Page }, HostOptions & { app: RunningApp }>({
  host: ['browser', { option: true, scope: 'worker' }],
  logDirsPerBroker: [1, { option: true, scope: 'worker' }],
  app: [
    async ({ host, logDirsPerBroker, browser }, use) => {
      const home = await makeHome(3, logDirsPerBroker);
      const app = await startApp(host, home, browser);
      await use(app);
      await app.stop();
      home.remove();
    },
    { scope: 'worker', timeout: 300_000 },
  ],
  appPage: async ({ app }, use) => {
    const opened = await app.openPage();
    await use(opened.page);
    await opened.close();
  },
});

export { expect } from '@playwright/test';

function startApp(host: Host, home: TestHome, browser: Browser): Promise<RunningApp> {
  if (host === 'browser') return startInBrowser(home, browser);
  return host === 'harness' ? startInHarness(home) : startInElectron(home);
}

/** The cluster's address, as `samsa status --json` tells it. */
async function bootstrapServersOf(home: TestHome): Promise<string> {
  const deadline = performance.now() + START_MS;
  for (;;) {
    const text = await run(['status', '--json'], home);
    try {
      const { state, bootstrapServers } = JSON.parse(text) as { state?: string; bootstrapServers?: string };
      if (state === 'running' && bootstrapServers !== undefined) return bootstrapServers;
    } catch {
      // No cluster yet: status says so in prose.
    }
    if (performance.now() > deadline) throw new Error(`the cluster is not running after ${START_MS} ms: ${text}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** `samsa ARGS` on that home; gives what it printed. */
export function run(args: readonly string[], home: TestHome): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(ROOT, 'out', 'main', 'cli.js'), ...args], {
      cwd: ROOT,
      env: home.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.once('error', reject);
    child.once('close', () => resolve(text));
  });
}

async function startInBrowser(home: TestHome, browser: Browser): Promise<RunningApp> {
  const child = spawn(process.execPath, [join(ROOT, 'out', 'main', 'cli.js'), 'serve'], {
    cwd: ROOT,
    env: home.env,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const url = await printed(child, /http:\/\/\S+/);
  const bootstrapServers = await bootstrapServersOf(home);
  const context = await browser.newContext();
  // The token is good once: the session stays in the context.
  const first = await context.newPage();
  await first.goto(url);
  await first.close();
  const { origin } = new URL(url);
  return {
    host: 'browser',
    home,
    bootstrapServers,
    harness: undefined,
    url,
    async openPage() {
      const page = await context.newPage();
      await page.goto(origin);
      return { page, close: () => page.close() };
    },
    async stop() {
      await context.close();
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGINT');
      await ended;
    },
  };
}

async function startInHarness(home: TestHome): Promise<RunningApp> {
  const harness = new AppUnderTest(home.env);
  const { endpoint } = await harness.event('browser');
  const { targetId } = await harness.event('window-created');
  const bootstrapServers = await bootstrapServersOf(home);
  const browser = await chromium.connectOverCDP(String(endpoint));
  return {
    host: 'harness',
    home,
    bootstrapServers,
    harness,
    url: undefined,
    async openPage() {
      const page = await windowPage(browser, String(targetId));
      return { page, close: () => Promise.resolve() };
    },
    async stop() {
      await browser.close();
      await harness.quit();
    },
  };
}

/** The Playwright page of the app's window among all the browser's pages. */
async function windowPage(browser: Browser, targetId: string): Promise<Page> {
  for (const page of browser.contexts().flatMap((context) => context.pages())) {
    const session = await page.context().newCDPSession(page);
    const { targetInfo } = await session.send('Target.getTargetInfo');
    await session.detach();
    if (targetInfo.targetId === targetId) return page;
  }
  throw new Error(`no page has the target ${targetId}`);
}

async function startInElectron(home: TestHome): Promise<RunningApp> {
  const executablePath = electronRuntime();
  if (executablePath === undefined) throw new Error('there is no Electron runtime');
  // Playwright wants no undefined among them; there is none.
  const env = home.env as Record<string, string>;
  const electron: ElectronApplication = await _electron.launch({
    executablePath,
    args: [ROOT, ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
    env,
    cwd: ROOT,
  });
  const page = await electron.firstWindow();
  return {
    host: 'electron',
    home,
    bootstrapServers: await bootstrapServersOf(home),
    harness: undefined,
    url: undefined,
    openPage: () => Promise.resolve({ page, close: () => Promise.resolve() }),
    stop: () => electron.close(),
  };
}

/** The first match in what a child prints; rejects with all of it when it ends before. */
function printed(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => reject(new Error(`nothing like ${String(pattern)} within ${START_MS} ms: ${text}`)), START_MS);
    const onData = (chunk: Buffer): void => {
      text += chunk.toString();
      const [found] = pattern.exec(text) ?? [];
      if (found === undefined) return;
      clearTimeout(timer);
      resolve(found);
    };
    child.stdout?.on('data', onData);
    child.stderr?.on('data', onData);
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${text}`)));
  });
}
