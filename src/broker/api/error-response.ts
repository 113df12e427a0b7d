/**
 * The response that says a whole request failed, for every API that can say so. An API without an entry has its connection
 * closed instead, which every client takes for a retriable failure.
 */
import { adminErrorResponses } from './error-responses-admin.ts';
import { dataErrorResponses } from './error-responses-data.ts';
import type { ErrorEntry } from './error-entry.ts';

const BY_KEY: ReadonlyMap<number, ErrorEntry> = new Map(
  [...dataErrorResponses, ...adminErrorResponses].map((entry) => [entry.apiKey, entry]),
);

/** The body for `errorCode`; undefined when this API has no way to say it. */
export function errorResponse(apiKey: number, apiVersion: number, requestBody: unknown, errorCode: number): unknown {
  return BY_KEY.get(apiKey)?.respond(requestBody, errorCode, apiVersion);
}
