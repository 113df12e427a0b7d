/**
 * Pictures of the development build, to be looked at: `node src/renderer/dev/screenshots.ts [OUT] [NAME…]` after
 * `npx vite build -c src/renderer/dev/vite.config.ts`. Serves it under the real policy, in Debian's Chromium, light and dark, and
 * prints every violation of the policy and every error on the page: there should be none.
 */
import { createServer } from 'node:http';
import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from '@playwright/test';
import type { Page } from '@playwright/test';
import { SECURITY_HEADERS } from '../../console/contract/content-security-policy.ts';

interface Shot {
  readonly name: string;
  readonly path: string;
  /** For the fake backend. */
  readonly query?: string;
  readonly act?: (page: Page) => Promise<void>;
}

const t = 'topics/orders.raw';
const shots: readonly Shot[] = [
  { name: 'overview', path: 'overview', act: (page) => page.waitForTimeout(2500) },
  {
    name: 'overview-broken',
    path: 'overview',
    act: async (page) => {
      await page.getByTestId('card-broker-2').getByTestId('process-kill').click();
      await page.getByTestId('confirm-run').click();
      await page.getByTestId('confirm-items').waitFor({ state: 'detached' });
    },
  },
  { name: 'confirm-kill', path: 'brokers', act: (page) => page.getByRole('button', { name: 'Kill Broker 2' }).click() },
  { name: 'brokers', path: 'brokers' },
  { name: 'broker-menu', path: 'brokers', act: (page) => page.getByTestId('process-menu').first().click() },
  { name: 'broker-log', path: 'brokers/1' },
  { name: 'broker-configs', path: 'brokers/1/configs' },
  { name: 'broker-storage', path: 'brokers/1/storage' },
  { name: 'topics', path: 'topics' },
  { name: 'topics-10000', path: 'topics', query: 'topics=10000&groups=2000' },
  { name: 'topics-20000', path: 'topics?filter=dlq', query: 'topics=20000&groups=0' },
  { name: 'topics-filtered', path: 'topics?filter=nothing-like-it' },
  { name: 'topics-regex', path: 'topics?filter=/^(orders|users)/' },
  { name: 'topics-empty', path: 'topics', query: 'topics=0&groups=0' },
  { name: 'topics-failing', path: 'topics', query: 'failing=topics' },
  {
    name: 'topics-selected',
    path: 'topics',
    act: async (page) => {
      for (const name of ['audit.raw', 'clicks.raw', 'emails.raw']) await page.getByRole('checkbox', { name: `Select ${name}` }).check();
      await page.getByTestId('delete-topics').click();
    },
  },
  {
    name: 'topics-report',
    path: 'topics',
    act: async (page) => {
      for (const name of ['audit.raw', 'clicks.raw', 'emails.raw']) await page.getByRole('checkbox', { name: `Select ${name}` }).check();
      await page.getByTestId('delete-topics').click();
      await page.getByTestId('confirm-run').click();
      await page.getByText('1 failed').waitFor();
    },
  },
  { name: 'topics-menu', path: 'topics', act: (page) => page.getByRole('row').nth(3).click({ button: 'right' }) },
  {
    name: 'topic-create',
    path: 'topics?create=1',
    act: async (page) => {
      await page.getByTestId('topic-name').fill('orders raw');
      await page.getByTestId('topic-partitions').fill('6');
      await page.getByTestId('topic-replicas').fill('5');
      await page.getByTestId('add-config').selectOption('flush.messages');
      await page.getByTestId('add-config').selectOption('retention.ms');
    },
  },
  { name: 'messages', path: t },
  {
    name: 'messages-json',
    path: `${t}?live=0`,
    act: async (page) => {
      await page.getByRole('row').nth(3).click();
    },
  },
  {
    name: 'messages-large',
    path: `${t}?from=offset&at=0&partitions=0&record=0:7`,
    act: async (page) => {
      await page.getByTestId('load-whole').click();
      await page.getByTestId('truncated').waitFor({ state: 'detached' });
    },
  },
  { name: 'messages-hex', path: `${t}?from=offset&at=0&partitions=0&record=0:3` },
  {
    name: 'messages-headers',
    path: `${t}?from=offset&at=0&partitions=0&record=0:6`,
    act: (page) => page.getByTestId('detail-headers').click(),
  },
  {
    name: 'messages-record',
    path: `${t}?from=offset&at=0&partitions=0&record=0:6`,
    act: (page) => page.getByTestId('detail-record').click(),
  },
  { name: 'messages-empty', path: 'topics/metrics.raw' },
  { name: 'topic-gone', path: 'topics/no-such-topic' },
  { name: 'partitions', path: `${t}/partitions` },
  { name: 'configs', path: `${t}/configs?config=flush.messages` },
  {
    name: 'configs-edit',
    path: `${t}/configs`,
    act: async (page) => {
      await page.getByText('flush.messages').first().dblclick();
      await page.getByTestId('config-input').fill('0');
    },
  },
  { name: 'topic-groups', path: `${t}/groups` },
  { name: 'segments', path: `${t}/segments` },
  { name: 'segments-batches', path: `${t}/segments?segment=0` },
  { name: 'groups', path: 'groups' },
  { name: 'group', path: 'groups/billing' },
  {
    name: 'palette',
    path: 'overview',
    act: async (page) => {
      await page.keyboard.press('Control+k');
      await page.keyboard.type('ord');
      await page.waitForTimeout(300);
    },
  },
  { name: 'help', path: 'topics', act: (page) => page.keyboard.press('?') },
  {
    name: 'prod',
    path: 'topics',
    query: 'environment=prod',
    act: async (page) => {
      await page.getByRole('checkbox', { name: 'Select clicks.raw' }).check();
      await page.getByTestId('delete-topics').click();
    },
  },
];

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.woff2': 'font/woff2',
};
const root = fileURLToPath(new URL('../../../out/renderer-dev', import.meta.url));

const server = createServer((request, response) => {
  const path = new URL(request.url ?? '/', 'http://localhost').pathname;
  const file = join(root, path === '/' ? 'index.html' : path);
  readFile(file).then(
    (body) =>
      response.writeHead(200, { ...SECURITY_HEADERS, 'content-type': types[extname(file)] ?? 'application/octet-stream' }).end(body),
    () => response.writeHead(404).end(),
  );
});
server.listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

const [out = '/tmp/shots', ...wanted] = process.argv.slice(2);
mkdirSync(out, { recursive: true });
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});
const sizes =
  process.env.SIZES === 'all'
    ? [
        [1280, 800],
        [900, 600],
      ]
    : process.env.SIZES === 'small'
      ? [[900, 600]]
      : [[1280, 800]];
const schemes =
  process.env.SCHEMES === 'all' ? (['light', 'dark'] as const) : [process.env.SCHEMES === 'dark' ? ('dark' as const) : ('light' as const)];
let troubles = 0;

for (const [width = 1280, height = 800] of sizes) {
  for (const colorScheme of schemes) {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme });
    await context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        (globalThis as unknown as { report: (line: string) => void }).report(
          `CSP ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber} ${event.sample}`,
        );
      });
    });
    await context.exposeFunction('report', (line: string) => {
      troubles++;
      process.stdout.write(`  ${line}\n`);
    });
    for (const shot of shots) {
      if (wanted.length > 0 && !wanted.includes(shot.name)) continue;
      const page = await context.newPage();
      const name = `${shot.name}-${width}-${colorScheme}`;
      const complain = (line: string): void => {
        troubles++;
        process.stdout.write(`  ${name}: ${line}\n`);
      };
      page.on('pageerror', (error) => complain(`error ${error.stack ?? error.message}`));
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') complain(`${message.type()} ${message.text()}`);
      });
      try {
        await page.goto(`${origin}/?${shot.query ?? ''}#/c/local/${shot.path}`);
        await page.waitForTimeout(700);
        await shot.act?.(page);
        await page.waitForTimeout(500);
      } catch (error) {
        complain(String(error));
      }
      await page.screenshot({ path: join(out, `${name}.png`) });
      await page.close();
    }
    await context.close();
  }
}
await browser.close();
server.close();
process.stdout.write(`${troubles} troubles, pictures in ${out}\n`);
