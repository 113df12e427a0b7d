/** A failure as text for the clipboard: all there is to know of it. */
import type { Failure } from '../../../console/contract/failure.ts';

export function failureDetails(failure: Failure, context: Readonly<Record<string, string>> = {}): string {
  const lines: [string, string | number | null][] = [
    ...Object.entries(context),
    ['message', failure.message],
    ['kind', failure.kind],
    ['API', failure.api],
    ['error', failure.name === null ? failure.code : `${failure.name} (${failure.code ?? '?'})`],
    ['broker', failure.brokerId],
    ['timeout', failure.timeoutMs === null ? null : `${failure.timeoutMs} ms`],
    ['retriable', String(failure.retriable)],
  ];
  return lines
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n');
}
