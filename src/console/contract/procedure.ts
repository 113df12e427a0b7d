/**
 * How every procedure of the contract is declared: an effect, which is what enforces Read-only (one place behind the
 * contract looks at it), and one error, FAILURE, that carries all a page needs to say what went wrong.
 *
 * Four builders: `read` changes nothing, `write` changes the cluster, `destroy` loses something that can't be brought back
 * (records, a topic, a process's unflushed memory), `manage` adds a cluster. `bulk<T>()` types an output without validating it: rows by the thousand.
 */
import { oc } from '@orpc/contract';
import type { Schema } from '@orpc/contract';
import { z } from 'zod';
import { failureSchema } from './failure.ts';

export type Effect = 'read' | 'write' | 'destroy' | 'manage';

export interface ProcedureMeta {
  readonly effect: Effect;
}

const base = oc.$meta<ProcedureMeta>({ effect: 'read' }).errors({
  FAILURE: { status: 500, message: 'The operation failed', data: failureSchema },
});

/** A procedure that changes nothing. */
export const read = base.meta({ effect: 'read' });
/** A procedure that changes the cluster in a way that can be changed back. */
export const write = base.meta({ effect: 'write' });
/** A procedure that changes which clusters the console has, and none of those it has. */
export const manage = base.meta({ effect: 'manage' });
/** A procedure that may lose data or end a process by force. */
export const destroy = base.meta({ effect: 'destroy' });

/** An output that is typed and not validated: bulk rows are made by our own services and checked by the compiler. */
export function bulk<T>(): Schema<T, T> {
  return z.custom<T>();
}
