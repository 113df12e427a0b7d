/** `npm run check`. */
import { check } from './checks.mjs';
import { say } from './setup.mjs';

check().catch((error) => {
  say(`check failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
