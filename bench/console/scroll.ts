/**
 * Scrolling a topic of 10,000 partitions in the built console (browser host, Debian's Chromium without a GPU): by the wheel, in jumps over thousands of rows, and
 * while records are written. Told is the CPU time of the main thread's tasks; budget: none over 100 ms.
 * Run: `node bench/console/scroll.ts [--partitions 10000] [--replicas 1] [--only TEXT]`.
 */
import { chromium } from '@playwright/test';
import type { Page } from '@playwright/test';
import { CHROMIUM, CHROMIUM_FLAGS } from '../../e2e/harness/browser.ts';
import { Admin } from '../../src/client/admin/admin.ts';
import { produceBatch } from '../../src/client/produce-batch.ts';
import { buildRecordBatch } from '../../src/protocol/records/record-batch-builder.ts';
import { silentLogger } from '../../src/runtime/node/node-logger.ts';
import { createNodeRuntime } from '../../src/runtime/node/node-runtime.ts';
import { startServer } from '../../src/server/start-server.ts';
import { ensureBuilt } from '../support/build.ts';
import { withCluster } from '../support/cluster.ts';
import { readFlags } from '../support/command-line.ts';
import { sleep } from '../support/deadline.ts';
import { atMost, heading, milliseconds, print, printTable } from '../support/print.ts';
import { traceMainThread } from './main-thread.ts';

const BUDGET_MS = 100;
const TOPIC = 'wide';
const WHEEL_STEPS = 60;
const JUMPS = 20;
const WRITE_EVERY_MS = 200;

const flags = readFlags(['partitions', 'replicas', 'only']);
const partitions = flags.number('partitions', 10_000);
const replicas = flags.number('replicas', 1);
const only = flags.text('only') ?? '';
ensureBuilt(['console', 'renderer', 'server']);
heading('console scroll');

const pages = [
  { name: 'partitions', scroller: '[data-testid=grid-partitions]', row: '[data-testid=grid-partitions] [data-row="0"]' },
  { name: 'replication', scroller: '[data-testid=replication]', row: '[data-testid=replication-0]' },
];

await withCluster({ brokers: 3 }, async (cluster) => {
  const admin = new Admin({ runtime: createNodeRuntime(silentLogger), bootstrapServers: cluster.bootstrapServers });
  const server = await startServer({ clusterControl: cluster });
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_FLAGS });
  try {
    await admin.createTopics([{ name: TOPIC, numPartitions: partitions, replicationFactor: replicas }], { timeoutMs: 60_000 });
    const rows: string[][] = [];
    let longestMs = 0;
    for (const { name, scroller, row } of pages.filter((candidate) => candidate.name.includes(only))) {
      const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
      await page.goto(server.issueUrl());
      await page.getByTestId('facts').waitFor();
      await page.evaluate((hash) => Object.assign(globalThis, { location: hash }), `#/c/local/topics/${TOPIC}/${name}`);
      await page.waitForSelector(row, { timeout: 60_000 });
      // What the page does when it opens is not scrolling.
      await sleep(2_000);
      const scrolling = async (): Promise<void> => {
        await wheel(page, scroller);
        await jump(page, scroller);
      };
      const phases = [
        { name: 'wheel', run: () => wheel(page, scroller) },
        { name: 'jumps', run: () => jump(page, scroller) },
        { name: 'both, records written', run: () => whileWriting(admin, scrolling) },
        { name: 'still, records written', run: () => whileWriting(admin, () => sleep(12_000)) },
      ];
      for (const report of await traceMainThread(page, phases, BUDGET_MS)) {
        longestMs = Math.max(longestMs, report.longestMs);
        const { script, style, layout, paint } = report.parts;
        rows.push([
          `${name}: ${report.phase}`,
          milliseconds(report.longestMs),
          milliseconds(report.longestWallMs),
          String(report.overBudget),
          ...[report.totalMs, script, style, layout, paint].map((ms) => milliseconds(ms)),
        ]);
      }
      await page.close();
    }
    printTable(
      ['page, phase', 'longest task, CPU', 'on the clock', `over ${BUDGET_MS} ms`, 'all tasks', 'scripts', 'styles', 'layout', 'paint'],
      rows,
    );
    print(`Budget: no task over ${BUDGET_MS} ms: ${atMost(longestMs, BUDGET_MS)}`);
  } finally {
    await browser.close();
    await server.close();
    await admin.close();
  }
});

async function wheel(page: Page, scroller: string): Promise<void> {
  const box = await page.locator(scroller).boundingBox();
  if (box === null) throw new Error(`${scroller} is not seen`);
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  for (let step = 0; step < WHEEL_STEPS; step++) {
    await page.mouse.wheel(0, 240);
    await sleep(30);
  }
}

/** To places all over the list, in an order that isn't theirs. */
async function jump(page: Page, scroller: string): Promise<void> {
  for (let step = 0; step < JUMPS; step++) {
    await page
      .locator(scroller)
      .evaluate((element, share) => (element.scrollTop = element.scrollHeight * share), ((step * 7) % JUMPS) / JUMPS);
    await sleep(150);
  }
}

async function whileWriting(admin: Admin, work: () => Promise<void>): Promise<void> {
  const end = { isReached: false };
  const writing = (async () => {
    for (let index = 0; !end.isReached; index++) {
      const batch = buildRecordBatch([{ key: null, value: Buffer.from('x'), timestamp: Date.now() }]);
      await produceBatch(admin.context, { topic: TOPIC, partition: index % partitions }, batch);
      await sleep(WRITE_EVERY_MS);
    }
  })();
  await work();
  end.isReached = true;
  await writing;
}
