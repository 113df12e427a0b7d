/**
 * Where a broker keeps its session's id and password, readable by its user only: whoever finds the process dead closes the
 * session, so that its ephemeral nodes don't outlive it.
 */
import { type Disk, writeFileAtomically } from '../runtime/disk.ts';
import type { ZooKeeperSessionId } from './types.ts';

const OWNER_ONLY = 0o600;

/** Writes the file with mode 0600. Its content is never readable by others, not even for a moment. */
export function writeSessionFile(disk: Disk, path: string, session: ZooKeeperSessionId): void {
  // Made empty and closed to others first: the rename keeps the mode of the temporary file.
  const temporary = `${path}.tmp`;
  disk.open(temporary, 'truncate').close();
  disk.setMode(temporary, OWNER_ONLY);
  const content = { version: 1, id: session.id.toString('hex'), password: session.password.toString('hex') };
  writeFileAtomically(disk, path, `${JSON.stringify(content)}\n`);
}

/** The session in the file; undefined when there is no file, or it holds none. */
export function readSessionFile(disk: Disk, path: string): ZooKeeperSessionId | undefined {
  if (!disk.exists(path)) return undefined;
  try {
    const content: unknown = JSON.parse(disk.readFile(path).toString('utf8'));
    if (typeof content !== 'object' || content === null || !('id' in content) || !('password' in content)) return undefined;
    const { id, password } = content;
    if (typeof id !== 'string' || typeof password !== 'string' || !/^[0-9a-f]{16}$/.test(id) || !/^[0-9a-f]{32}$/.test(password))
      return undefined;
    return { id: Buffer.from(id, 'hex'), password: Buffer.from(password, 'hex') };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Forgets a session that was closed. */
export function removeSessionFile(disk: Disk, path: string): void {
  if (disk.exists(path)) disk.remove(path);
}
