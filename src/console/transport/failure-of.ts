/** Turns whatever a call of the contract threw into a Failure that a page can show. Never throws. */
import { ORPCError } from '@orpc/client';
import { failureSchema } from '../contract/failure.ts';
import type { Failure, FailureKind } from '../contract/failure.ts';
import { ChannelClosedError } from './channel.ts';

const plain = (kind: FailureKind, message: string, retriable: boolean): Failure => ({
  kind,
  api: null,
  code: null,
  name: null,
  brokerId: null,
  message,
  retriable,
  timeoutMs: null,
});

export function failureOf(error: unknown): Failure {
  if (error instanceof ChannelClosedError) return plain('unreachable', error.message, true);
  if (error instanceof ORPCError) {
    if (error.code === 'FAILURE') {
      const parsed = failureSchema.safeParse(error.data);
      if (parsed.success) return parsed.data;
    }
    if (error.code === 'BAD_REQUEST') return plain('invalid', inputIssues(error.data) ?? error.message, false);
    return plain('internal', error.message, false);
  }
  return plain('internal', error instanceof Error ? error.message : String(error), false);
}

/** The issues of oRPC's input validation, one line each. */
function inputIssues(data: unknown): string | undefined {
  if (typeof data !== 'object' || data === null || !('issues' in data) || !Array.isArray(data.issues)) return undefined;
  const lines = data.issues.flatMap((issue: unknown) => {
    if (typeof issue !== 'object' || issue === null || !('message' in issue)) return [];
    const path = 'path' in issue && Array.isArray(issue.path) ? issue.path.map(String).join('.') : '';
    return [path === '' ? String(issue.message) : `${path}: ${String(issue.message)}`];
  });
  return lines.length === 0 ? undefined : lines.join('\n');
}
