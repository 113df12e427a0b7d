/**
 * The app in each of its hosts: `browser` (samsa serve in Chromium), `harness` (the built Electron app on a stand-in for Electron), and
 * `electron` where there is a runtime. The same tests run in all; what only one host has is in its own file.
 * Run `npx electron-vite build` first: what is tested is what is shipped.
 */
import { defineConfig } from '@playwright/test';
import { CHROMIUM, CHROMIUM_FLAGS } from './harness/browser.ts';
import { electronRuntime } from './electron-runtime.ts';
import type { HostOptions } from './fixtures.ts';

const electron = electronRuntime();
const EXPECT_MS = 90_000;

export default defineConfig<Partial<HostOptions>>({
  testDir: '.',
  outputDir: '../test-results/e2e',
  // Each has a cluster of its own. One alone leaves half of two cores idle; a third would have all wait longer, not less.
  workers: 2,
  fullyParallel: false,
  // Long enough for a machine that is busy with other things: nothing here is about speed, and what is there is seen at once.
  timeout: 300_000,
  expect: { timeout: EXPECT_MS, toPass: { timeout: EXPECT_MS } },
  reporter: [
    ['list'],
    ['json', { outputFile: '../test-results/e2e.json' }],
    ...(process.env['CI'] === undefined ? [] : [['html', { open: 'never', outputFolder: '../playwright-report' }] as const]),
  ],
  use: {
    viewport: { width: 1280, height: 800 },
    launchOptions: { executablePath: CHROMIUM, args: CHROMIUM_FLAGS },
    // `--trace=retain-on-failure` for one's own eyes: it costs a third of all CPU time.
    trace: 'off',
    screenshot: 'only-on-failure',
  },
  projects: [
    { name: 'browser', use: { host: 'browser' }, testIgnore: /electron-main\.spec\.ts/ },
    { name: 'harness', use: { host: 'harness' }, testIgnore: /browser-host\.spec\.ts/ },
    ...(electron === undefined
      ? []
      : [{ name: 'electron', use: { host: 'electron' as const }, testIgnore: /(browser-host|electron-main)\.spec\.ts/ }]),
  ],
});
