/** `samsa dump-log` as a command: options in, exit code out. */
import type { Terminal } from '../terminal.ts';
import { dumpLog } from './dump-log.ts';
import { DUMP_LOG_HELP, parseDumpOptions } from './dump-options.ts';

/** The exit code. Throws `UsageError`. */
export async function dumpLogCommand(args: readonly string[], terminal: Terminal): Promise<number> {
  const options = parseDumpOptions(args);
  if (options === 'help') {
    terminal.out(DUMP_LOG_HELP.trimEnd());
    return 0;
  }
  const isWell = await dumpLog(options, { out: process.stdout, error: process.stderr });
  return isWell ? 0 : 1;
}
