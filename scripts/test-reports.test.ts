import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readReport, summary } from './test-reports.mjs';

const folder = mkdtempSync(join(tmpdir(), 'samsa-test-reports-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function reportOf(name: string, content: object) {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(content));
  return readReport(path, '/checkout');
}

const vitestReport = {
  numPassedTests: 3,
  numFailedTests: 1,
  numPendingTests: 2,
  testResults: [
    {
      name: '/checkout/test/a.test.ts',
      status: 'failed',
      message: '',
      startTime: 1000,
      endTime: 4500,
      assertionResults: [
        { fullName: 'elects a leader', status: 'failed', failureMessages: ['Error: no leader\n    at file.ts:1:2'] },
        { fullName: 'says so', status: 'passed', failureMessages: [] },
      ],
    },
    {
      name: '/checkout/test/b.test.ts',
      status: 'failed',
      message: 'Cannot find module x',
      startTime: 0,
      endTime: 20,
      assertionResults: [],
    },
  ],
};

const playwrightReport = {
  stats: { expected: 5, unexpected: 1, flaky: 0, skipped: 1 },
  errors: [],
  suites: [
    {
      title: 'topics.spec.ts',
      specs: [],
      suites: [
        {
          title: 'the list',
          specs: [
            {
              title: 'filters',
              file: 'topics.spec.ts',
              tests: [
                {
                  projectName: 'browser',
                  status: 'unexpected',
                  results: [
                    {
                      duration: 1200,
                      status: 'failed',
                      error: { message: '\u001b[31mTimed out\u001b[39m waiting\n\nExpected: 1\nReceived: 2\nTimeout: 5 s\nCall log' },
                    },
                  ],
                },
                { projectName: 'harness', status: 'expected', results: [{ duration: 300, status: 'passed' }] },
              ],
            },
          ],
        },
      ],
    },
  ],
};

test('names each failed test of vitest with the beginning of its message, without the stack, and a file that did not load', () => {
  const report = reportOf('vitest.json', vitestReport);
  expect(report.failures).toEqual([
    { name: 'test/a.test.ts > elects a leader', message: 'Error: no leader' },
    { name: 'test/b.test.ts', message: 'Cannot find module x' },
  ]);
  expect(report).toMatchObject({ passed: 3, failed: 2, skipped: 2 });
});

test("names Playwright's failed tests with their project, without colours", () => {
  const report = reportOf('e2e.json', playwrightReport);
  expect(report.failures).toEqual([
    { name: 'browser: topics.spec.ts > the list > filters', message: 'Timed out waiting | Expected: 1 | Received: 2 | Timeout: 5 s' },
  ]);
  expect(report).toMatchObject({ passed: 5, failed: 1, skipped: 1 });
});

test('the failures and the counts of all stages are the last lines', () => {
  const reports = [reportOf('one.json', vitestReport), reportOf('two.json', playwrightReport), readReport(join(folder, 'none.json'), '/')];
  const lines = summary(reports, 1);
  expect(lines.slice(0, 3)).toEqual(['slowest files:', '     3.5 s  test/a.test.ts', 'failed tests:']);
  expect(lines.at(-3)).toBe('  browser: topics.spec.ts > the list > filters');
  expect(lines.at(-1)).toBe('8 passed, 3 failed, 3 skipped');
});
