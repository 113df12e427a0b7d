/**
 * Stands in for `zod` in the renderer's build (an alias in vite.ts): zod must be told before the first schema is made that it may
 * not make functions from text, which `script-src 'self'` forbids; as a module of its own name it is always told first.
 */
import { z } from 'zod/v4';

z.config({ jitless: true });

export * from 'zod/v4';
export { z };
