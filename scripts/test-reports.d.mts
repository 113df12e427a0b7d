/** Types of `test-reports.mjs`, which runs on Nodes that take no TypeScript. */
export interface Report {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly failures: readonly { readonly name: string; readonly message: string }[];
  readonly files: readonly { readonly name: string; readonly durationMs: number }[];
}
export function readReport(path: string, root: string): Report;
export function summary(reports: readonly Report[], slowestCount?: number): string[];
