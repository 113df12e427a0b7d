import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { chromium } from '@playwright/test';
import { SECURITY_HEADERS } from '../../console/contract/content-security-policy.ts';
const types: Record<string,string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.woff2': 'font/woff2', '.svg': 'image/svg+xml' };
const root = '/work/main/out/renderer-dev';
const server = createServer((rq, rs) => { const p = new URL(rq.url ?? '/', 'http://x').pathname; const f = join(root, p === '/' ? 'index.html' : p); readFile(f).then(b => rs.writeHead(200, { ...SECURITY_HEADERS, 'content-type': types[extname(f)] ?? '' }).end(b), () => rs.writeHead(404).end()); });
server.listen(0, '127.0.0.1'); await new Promise(r => server.once('listening', r));
const origin = `http://127.0.0.1:${(server.address() as any).port}`;
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
page.on('pageerror', e => console.log('ERR', e.message)); page.on('console', m => { if (m.type() !== 'log') console.log(m.type(), m.text()); });
const go = async (path: string, q = '') => { await page.goto('about:blank'); await page.goto(`${origin}/?${q}#/c/local/${path}`); };
const active = () => page.evaluate(() => (document.activeElement as HTMLElement)?.closest('[role=row]')?.getAttribute('data-key') + ' / ' + (document.activeElement as HTMLElement)?.getAttribute('data-column'));

await go('topics');
await page.getByText('audit.clean').waitFor();
for (const k of ['j', 'j', 'j', 'k', 'ArrowRight', 'End', 'PageDown']) { await page.keyboard.press(k); await page.waitForTimeout(60); console.log(k, await active()); }
console.log(page.url());
await page.keyboard.press('Control+Home'); await page.waitForTimeout(60); console.log('home', await active());
await page.keyboard.press('Shift+ArrowDown'); await page.keyboard.press('Shift+ArrowDown'); await page.waitForTimeout(100);
console.log('selected', await page.locator('[aria-selected=true]').count());
await page.keyboard.press('Escape'); console.log('after esc', await page.locator('[aria-selected=true]').count());
await page.keyboard.press('/'); await page.keyboard.type('orders'); await page.waitForTimeout(150);
console.log('filter', page.url(), await page.getByTestId('topic-count').textContent());
await page.keyboard.press('Enter'); await page.waitForTimeout(100); console.log(await active());
await page.keyboard.press('j'); await page.waitForTimeout(50);
await page.keyboard.press('Enter'); await page.waitForTimeout(400); console.log('opened', page.url(), await page.title());
await page.goBack(); await page.waitForTimeout(300); console.log('back', page.url());
// sort by size
await page.keyboard.press('/'); await page.keyboard.press('Escape'); await page.waitForTimeout(100);
await page.getByRole('columnheader', { name: 'Size' }).getByRole('button').click(); await page.waitForTimeout(300);
console.log('sort', page.url(), await page.locator('[data-column=size]').allTextContents().then(a => a.slice(0, 4)));
// create
await page.keyboard.press('c'); await page.getByTestId('topic-name').fill('zeta'); await page.getByTestId('topic-partitions').fill('4'); await page.keyboard.press('Enter');
await page.waitForTimeout(500); console.log('created', await page.getByTestId('topic-count').textContent(), await page.getByText('zeta', { exact: true }).count(), page.url());
// config edit
await go('topics/orders.raw/configs');
await page.getByText('flush.messages').first().click(); await page.getByRole('button', { name: 'Edit flush.messages' }).click();
await page.getByTestId('config-input').fill('10'); await page.keyboard.press('Enter'); await page.waitForTimeout(600);
console.log('config', await page.locator('[data-key="flush.messages"] [data-testid=config-value]').textContent(), await page.locator('[data-key="flush.messages"] [data-column=source]').textContent());
await page.getByTestId('config-reset').click(); await page.waitForTimeout(600);
console.log('reset', await page.locator('[data-key="flush.messages"] [data-testid=config-value]').textContent());
// messages live
await go('topics/orders.raw'); await page.waitForTimeout(1000);
const first = await page.locator('[data-row="0"]').textContent(); await page.waitForTimeout(1500); console.log('live moved', first !== await page.locator('[data-row="0"]').textContent());
await page.getByTestId('seek-offset').click(); await page.getByTestId('seek-at').fill('500'); await page.keyboard.press('Enter'); await page.waitForTimeout(400); console.log(page.url(), await page.getByTestId('read-progress').textContent());
// group page live
await go('groups/billing'); await page.waitForTimeout(700); const lag = await page.getByTestId('total-lag').textContent(); await page.waitForTimeout(1500); console.log('lag', lag, await page.getByTestId('total-lag').textContent());
// broker kill -> state
await go('brokers'); await page.getByRole('button', { name: 'Kill Broker 1' }).click(); await page.getByTestId('confirm-run').click(); await page.waitForTimeout(900);
console.log(await page.locator('[data-key="1"] [data-column=state]').textContent(), await page.locator('[data-key="2"]').getByTestId('controller-mark').count());
await page.getByRole('button', { name: 'Start Broker 1' }).click(); await page.waitForTimeout(900); console.log(await page.locator('[data-key="1"] [data-column=state]').textContent());
// performance at 10,000
await page.goto('about:blank');
const t0 = Date.now(); await page.goto(`${origin}/?topics=10000&groups=15000#/c/local/topics`); await page.locator('[data-row="0"]').waitFor(); console.log('first rows after load', Date.now() - t0);
await page.waitForTimeout(1500);
const perf = await page.evaluate(async () => {
  const frames: number[] = []; let last = performance.now(); let on = true;
  const loop = (now: number) => { frames.push(now - last); last = now; if (on) requestAnimationFrame(loop); }; requestAnimationFrame(loop);
  const input = document.querySelector<HTMLInputElement>('[data-filter]')!; const times: number[] = [];
  for (const text of ['o', 'or', 'ord', 'orde', 'order', '']) { const s = performance.now(); input.value = text; input.dispatchEvent(new Event('input', { bubbles: true })); await new Promise(r => requestAnimationFrame(() => setTimeout(r))); times.push(Math.round(performance.now() - s)); await new Promise(r => setTimeout(r, 120)); }
  const vp = document.querySelector('.grid-viewport')!; for (let i = 0; i < 40; i++) { vp.scrollTop += 2000; await new Promise(r => requestAnimationFrame(r)); }
  on = false; return { times, worst: Math.max(...frames).toFixed(0) };
}); console.log(JSON.stringify(perf));
await browser.close(); server.close();
