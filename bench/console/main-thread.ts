/**
 * What Chromium's trace says of a page's main thread: the CPU time of each task (what other programs on the same cores take is not in it; beside it
 * the time on the clock), and what of it was scripts, styles, layout, painting.
 */
import type { CDPSession, Page } from '@playwright/test';

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly ts: number;
  readonly pid: number;
  readonly tid: number;
  /** Both in µs; `tdur` is the thread's CPU time. */
  readonly dur?: number;
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

export interface PhaseReport {
  readonly phase: string;
  /** CPU time of the longest task, and its time on the clock. */
  readonly longestMs: number;
  readonly longestWallMs: number;
  readonly overBudget: number;
  readonly totalMs: number;
  readonly parts: Readonly<Record<Part, number>>;
}

const PARTS = {
  script: ['FunctionCall', 'EventDispatch', 'TimerFire', 'FireAnimationFrame', 'RunMicrotasks', 'MinorGC', 'MajorGC'],
  style: ['UpdateLayoutTree'],
  layout: ['Layout'],
  paint: ['PrePaint', 'Paint', 'Layerize', 'Commit'],
} as const;
export type Part = keyof typeof PARTS;
const TASK = 'ThreadControllerImpl::RunTask';

/** Runs the phases one after another under a trace. `budgetMs`: what no task may take. */
export async function traceMainThread(
  page: Page,
  phases: readonly { readonly name: string; readonly run: () => Promise<void> }[],
  budgetMs: number,
): Promise<PhaseReport[]> {
  const cdp = await page.context().newCDPSession(page);
  const events: TraceEvent[] = [];
  cdp.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  const includedCategories = ['toplevel', 'devtools.timeline', 'blink.user_timing'];
  await cdp.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig: { includedCategories } });
  for (const { name, run } of phases) {
    await page.evaluate((mark) => performance.mark(mark), `phase:${name}`);
    await run();
  }
  await page.evaluate(() => performance.mark('phase:end'));
  await endTrace(cdp);
  await cdp.detach();

  const marks = events.filter(({ name }) => name.startsWith('phase:')).toSorted((a, b) => a.ts - b.ts);
  const [first] = marks;
  const own = events.filter(({ ph, pid, tid }) => ph === 'X' && pid === first?.pid && tid === first.tid);
  return phases.map(({ name }, index) => {
    const [from = 0, to = Infinity] = [marks[index]?.ts, marks[index + 1]?.ts];
    return report(
      name,
      own.filter(({ ts }) => ts >= from && ts < to),
      budgetMs,
    );
  });
}

async function endTrace(cdp: CDPSession): Promise<void> {
  const complete = new Promise((resolve) => cdp.once('Tracing.tracingComplete', resolve));
  await cdp.send('Tracing.end');
  await complete;
}

function report(phase: string, events: readonly TraceEvent[], budgetMs: number): PhaseReport {
  const cpuMs = ({ tdur = 0 }: TraceEvent): number => tdur / 1_000;
  const tasks = events.filter(({ name }) => name === TASK).toSorted((a, b) => cpuMs(b) - cpuMs(a));
  const sum = (names: readonly string[]): number =>
    events.filter(({ name }) => names.includes(name)).reduce((total, event) => total + cpuMs(event), 0);
  const [longest] = tasks;
  return {
    phase,
    longestMs: longest === undefined ? 0 : cpuMs(longest),
    longestWallMs: (longest?.dur ?? 0) / 1_000,
    overBudget: tasks.filter((task) => cpuMs(task) > budgetMs).length,
    totalMs: tasks.reduce((total, task) => total + cpuMs(task), 0),
    parts: { script: sum(PARTS.script), style: sum(PARTS.style), layout: sum(PARTS.layout), paint: sum(PARTS.paint) },
  };
}
