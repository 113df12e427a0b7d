/**
 * What the JSON reports of the test stages say: counts, failures with the beginning of their message, the slowest files.
 * Reads vitest's report (Jest's format) and Playwright's. A file that could not be loaded counts as one failure.
 */
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

const NOTHING = { passed: 0, failed: 0, skipped: 0, failures: [], files: [] };
const MAX_LINES = 4;
const MAX_CHARACTERS = 400;
// Colours are escape sequences in Playwright's messages.
// oxlint-disable-next-line no-control-regex
const COLOURS = /\u001b\[[0-9;]*m/g;

/** The beginning of a message; an expectation says on later lines what was expected and what was there. No stack. */
function beginning(text) {
  const lines = (text ?? '')
    .replace(COLOURS, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('at '));
  return lines.length === 0 ? 'no message' : lines.slice(0, MAX_LINES).join(' | ').slice(0, MAX_CHARACTERS);
}

function ofVitest(report, root) {
  const failures = [];
  const files = [];
  for (const file of report.testResults) {
    const name = relative(root, file.name);
    files.push({ name, durationMs: file.endTime - file.startTime });
    const failed = file.assertionResults.filter((test) => test.status === 'failed');
    for (const test of failed) failures.push({ name: `${name} > ${test.fullName}`, message: beginning(test.failureMessages[0]) });
    // A file that doesn't load, or whose hook fails, has no failed test of its own.
    if (file.status === 'failed' && failed.length === 0) failures.push({ name, message: beginning(file.message) });
  }
  return {
    passed: report.numPassedTests,
    failed: Math.max(report.numFailedTests, failures.length),
    skipped: report.numPendingTests,
    failures,
    files,
  };
}

function ofPlaywright(report) {
  const failures = [];
  const durations = new Map();
  const visit = (suite, titles) => {
    for (const spec of suite.specs ?? []) {
      for (const test of spec.tests) {
        const file = `${test.projectName}: ${spec.file}`;
        const spentMs = test.results.reduce((sum, result) => sum + result.duration, 0);
        durations.set(file, (durations.get(file) ?? 0) + spentMs);
        if (test.status !== 'unexpected') continue;
        const result = test.results.at(-1);
        failures.push({ name: [file, ...titles, spec.title].join(' > '), message: beginning(result?.error?.message ?? result?.status) });
      }
    }
    for (const inner of suite.suites ?? []) visit(inner, [...titles, inner.title]);
  };
  for (const file of report.suites) visit(file, []);
  for (const error of report.errors ?? []) failures.push({ name: 'e2e', message: beginning(error.message) });
  return {
    passed: report.stats.expected + report.stats.flaky,
    failed: Math.max(report.stats.unexpected, failures.length),
    skipped: report.stats.skipped,
    failures,
    files: [...durations].map(([name, durationMs]) => ({ name, durationMs })),
  };
}

/** What one stage's report says; nothing where there is no report. File names are told from `root` on. */
export function readReport(path, root) {
  if (!existsSync(path)) return NOTHING;
  const report = JSON.parse(readFileSync(path, 'utf8'));
  return report.stats === undefined ? ofVitest(report, root) : ofPlaywright(report);
}

/** The lines that end a run: slowest files, failed tests, and the counts last. */
export function summary(reports, slowestCount = 15) {
  const lines = [];
  const slowest = reports
    .flatMap((report) => report.files)
    .toSorted((a, b) => b.durationMs - a.durationMs)
    .slice(0, slowestCount);
  if (slowest.length > 0) lines.push('slowest files:');
  for (const file of slowest) lines.push(`  ${(file.durationMs / 1000).toFixed(1).padStart(6)} s  ${file.name}`);
  const failures = reports.flatMap((report) => report.failures);
  if (failures.length > 0) lines.push('failed tests:');
  for (const { name, message } of failures) lines.push(`  ${name}`, `      ${message}`);
  const count = (kind) => reports.reduce((sum, report) => sum + report[kind], 0);
  lines.push(`${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`);
  return lines;
}
