/** The program's version, from its package.json, which is beside the code in a checkout and in a package alike. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../cluster/process-entry.ts';

export function readVersion(): string {
  const { version } = JSON.parse(readFileSync(join(projectRoot(), 'package.json'), 'utf8')) as { version?: unknown };
  return typeof version === 'string' ? version : '0.0.0';
}
