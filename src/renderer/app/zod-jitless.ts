/** Imported before any schema is made: under `script-src 'self'` zod must interpret instead of compile. */
import { z } from 'zod';

z.config({ jitless: true });
