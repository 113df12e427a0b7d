import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeDisk } from '../runtime/node/node-disk.ts';
import { ProcessLog } from './process-log.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'samsa-log-'));
  path = join(folder, 'broker-1.log');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = () => new ProcessLog(nodeDisk, path, () => 5);
const textsOf = (log: ProcessLog, after = 0, max = 100, text?: string) => log.page({ after, max, text }).lines.map((line) => line.text);

describe('ProcessLog', () => {
  it('begins behind what earlier runs wrote, and reads on when asked', () => {
    writeFileSync(path, 'old\n');
    const log = open();
    expect(textsOf(log)).toEqual([]);
    appendFileSync(path, 'one\ntw');
    expect(textsOf(log)).toEqual(['one']);
    appendFileSync(path, 'o\n');
    expect(log.page({ after: 1, max: 10 })).toMatchObject({ lines: [{ sequence: 2, text: 'two' }], dropped: 0 });
  });

  it("reads pino's lines for a person, and numbers standard output in between", () => {
    const log = open();
    appendFileSync(path, '{"level":40,"time":"2026-01-02T03:04:05.000Z","component":"log","msg":"slow fsync","tookMs":12}\n');
    log.addOutput('Error: it hurts');
    expect(log.page({ after: 0, max: 10 }).lines).toEqual([
      { sequence: 1, atMs: Date.parse('2026-01-02T03:04:05.000Z'), level: 'warn', component: 'log', text: 'slow fsync (tookMs=12)' },
      { sequence: 2, atMs: 5, level: null, component: null, text: 'Error: it hurts' },
    ]);
  });

  it('finds text whatever its case, and gives at most what was asked for', () => {
    const log = open();
    for (const text of ['Alpha', 'beta', 'ALPHA two', 'alpha three']) log.addOutput(text);
    expect(textsOf(log, 0, 2, 'alpha')).toEqual(['Alpha', 'ALPHA two']);
  });

  it('starts over when the file was emptied', () => {
    const log = open();
    appendFileSync(path, 'a long line of the first file\n');
    expect(textsOf(log)).toHaveLength(1);
    writeFileSync(path, 'new\n');
    expect(textsOf(log, 1)).toEqual(['new']);
  });

  it('tells how many lines it no longer has', () => {
    const log = open();
    for (let index = 1; index <= 6_000; index++) log.addOutput(`line ${index}`);
    const { lines, dropped } = log.page({ after: 0, max: 1 });
    expect(dropped).toBe((lines[0]?.sequence ?? 0) - 1);
    expect(dropped).toBeGreaterThan(0);
    expect(lines[0]?.text).toBe(`line ${dropped + 1}`);
  });
});
