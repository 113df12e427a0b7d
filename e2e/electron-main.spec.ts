/**
 * What Electron's main process and preload promise, on the harness: wiring, sender checks, policy, navigation, permissions, one instance, the
 * order of the end, and that nothing outlives the app. A cluster of its own for each test that ends the app.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CONTENT_SECURITY_POLICY } from '../src/console/contract/content-security-policy.ts';
import { expect, run, test } from './fixtures.ts';
import { AppUnderTest } from './harness/app-under-test.ts';
import { makeHome } from './home.ts';
import type { TestHome } from './home.ts';

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

const pidsOf = async (home: TestHome): Promise<number[]> => {
  const { processes } = JSON.parse(await run(['status', '--json'], home)) as { processes: { pid: number | null }[] };
  return processes.flatMap(({ pid }) => pid ?? []);
};

test.describe('the window', () => {
  test('is sandboxed, isolated and without Node, and its page reaches the console over a port', async ({ app, appPage }) => {
    const created = await app.harness?.event('window-created');
    expect(created?.['options']).toMatchObject({
      webPreferences: { sandbox: true, contextIsolation: true, nodeIntegration: false, webSecurity: true, webviewTag: false },
    });
    await expect(appPage).toHaveTitle(/Samsa/);
    // Brokers are on the screen: they came through main's port and the console process.
    await expect(appPage.getByText('broker-1').or(appPage.getByText('Broker 1')).first()).toBeVisible();
    expect(await appPage.evaluate(() => ['require', 'process', 'electron', 'ipcRenderer'].filter((name) => name in globalThis))).toEqual(
      [],
    );
  });

  test('has the policy, and nothing breaks it', async ({ appPage }) => {
    const violations = await appPage.evaluate(async () => {
      const seen: string[] = [];
      document.addEventListener('securitypolicyviolation', ({ violatedDirective }) => seen.push(violatedDirective));
      const script = document.createElement('script');
      script.textContent = 'globalThis.inlineRan = true';
      document.body.append(script);
      await fetch('https://example.invalid/').catch(() => undefined);
      for (let waited = 0; seen.length < 2 && waited < 100; waited++) await new Promise((resolve) => setTimeout(resolve, 100));
      return { seen, inlineRan: 'inlineRan' in globalThis };
    });
    expect(violations.inlineRan).toBe(false);
    expect(violations.seen).toEqual(expect.arrayContaining(['script-src-elem', 'connect-src']));
    const policy = await appPage.evaluate(async () => (await fetch(location.href)).headers.get('content-security-policy'));
    expect(policy).toBe(CONTENT_SECURITY_POLICY);
  });

  test('goes nowhere and asks nothing of the outside', async ({ app, appPage }) => {
    const before = await app.harness?.ask('url');
    await appPage.evaluate(() => {
      location.href = 'https://example.invalid/elsewhere';
    });
    await app.harness?.event('navigation-refused');
    expect(await app.harness?.ask('url')).toBe(before);
    expect(app.harness?.events.filter(({ event }) => event === 'request-to-the-outside')).toEqual([]);
  });

  test('is refused every permission but writing to the clipboard', async ({ app }) => {
    for (const permission of ['geolocation', 'media', 'notifications', 'clipboard-read', 'openExternal']) {
      expect(await app.harness?.ask('permission', permission)).toEqual({ request: false, check: false, device: false });
    }
    expect(await app.harness?.ask('permission', 'clipboard-sanitized-write')).toMatchObject({ request: true, check: true });
  });

  test('gives a port to its own page only', async ({ app }) => {
    for (const url of [
      'https://evil.example/',
      'samsa-app://other/',
      'samsa-app://console.evil/',
      'file:///etc/passwd',
      'samsa-app://console/',
    ]) {
      // Also at the right address: it is not the window's main frame.
      expect(await app.harness?.ask('ipc-from', url)).toBe(false);
    }
  });

  test('opens deep links as routes, and no others', async ({ app }) => {
    await app.harness?.ask('second-instance', 'samsa://open/c/local/topics');
    await expect.poll(() => app.harness?.ask('url')).toContain('samsa-app://console/#/c/local/topics');
    await app.harness?.ask('second-instance', 'samsa://evil/x');
    await app.harness?.ask('second-instance', 'samsa://open/a"onload=x');
    expect(await app.harness?.ask('url')).toContain('#/c/local/topics');
  });

  test("does not serve what is not the renderer's", async ({ appPage }) => {
    const statuses = await appPage.evaluate(async () => {
      const paths = ['/../package.json', '/%2e%2e/package.json', '/..%2f..%2fpackage.json', '/nothing.js', '/%00', '/assets'];
      return Promise.all(paths.map(async (path) => (await fetch(path)).status));
    });
    expect(statuses).toEqual([404, 404, 404, 404, 404, 404]);
  });
});

test.describe('an app of its own', () => {
  let home: TestHome;
  const apps: AppUnderTest[] = [];
  const launch = (env: NodeJS.ProcessEnv = home.env): AppUnderTest => {
    const app = new AppUnderTest(env);
    apps.push(app);
    return app;
  };
  test.beforeEach(async () => {
    home = await makeHome();
  });
  test.afterEach(async () => {
    await Promise.all(apps.splice(0).map((app) => app.kill()));
    home.remove();
  });

  const started = async (): Promise<{ app: AppUnderTest; pids: number[] }> => {
    const app = launch();
    await app.event('utility-started');
    await expect
      .poll(async () => JSON.parse((await run(['status', '--json'], home)).replace(/^[^{].*$/s, '{}')) as { state?: string })
      .toMatchObject({ state: 'running' });
    return { app, pids: await pidsOf(home) };
  };

  test('ends in order: window, console, brokers, ZooKeeper, and leaves nothing', async () => {
    const { app, pids } = await started();
    expect(pids).toHaveLength(4);
    expect(await app.quit()).toBe(0);
    const order = app.events.map(({ event }) => event).filter((event) => ['window-destroyed', 'utility-exited', 'exit'].includes(event));
    expect(order).toEqual(['window-destroyed', 'utility-exited', 'exit']);
    expect(pids.filter(isAlive)).toEqual([]);
    const steps = readFileSync(join(home.path, 'cluster', 'logs', 'app.log'), 'utf8').matchAll(/"step":"(\w+)"/g);
    expect(Array.from(steps, ([, step]) => step)).toEqual(['window', 'console', 'cluster']);
  });

  test('ends when its window is closed', async () => {
    const { app, pids } = await started();
    await app.ask('close-window');
    expect(await app.exited).toBe(0);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  test('killed by SIGKILL leaves nothing running, and starts again', async () => {
    const { app, pids } = await started();
    await app.kill();
    await expect.poll(() => pids.filter(isAlive)).toEqual([]);
    // And the next start finds the folder free.
    const again = await started();
    expect(await again.app.quit()).toBe(0);
  });

  test('opens no windows', async () => {
    const app = launch();
    await app.event('utility-started');
    await expect.poll(() => app.ask('url')).toContain('samsa-app://console/');
    await app.ask('evaluate', "setTimeout(() => window.open('https://example.invalid/popup'), 0)");
    expect(await app.event('window-open')).toMatchObject({ action: 'deny' });
    expect(await app.quit()).toBe(0);
  });

  test('as a second instance ends at once and starts nothing', async () => {
    const app = launch({ ...home.env, SAMSA_HARNESS_SECOND_INSTANCE: '1' });
    expect(await app.exited).toBe(0);
    expect(app.events.map(({ event }) => event)).toEqual(['exit']);
  });
});
