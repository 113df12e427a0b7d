/** How an API says "this request failed as a whole": the shape of one row in the tables of error responses. */
import type { Api } from '../../protocol/api.ts';
import { errorByCode } from '../../protocol/errors.ts';

/** Makes the response to `request` that reports `errorCode` for everything in it. */
export type ErrorResponder<Req, ResIn> = (request: Req, errorCode: number, apiVersion: number) => ResIn;

export interface ErrorEntry {
  readonly apiKey: number;
  respond(request: unknown, errorCode: number, apiVersion: number): unknown;
}

export function errorEntry<Req, Res, ReqIn, ResIn>(api: Api<Req, Res, ReqIn, ResIn>, responder: ErrorResponder<Req, ResIn>): ErrorEntry {
  // A request of this API was decoded by this API's codec.
  return { apiKey: api.key, respond: (request, errorCode, apiVersion) => responder(request as Req, errorCode, apiVersion) };
}

export function messageOf(errorCode: number): string {
  return errorByCode(errorCode).message;
}
