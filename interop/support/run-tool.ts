/** Another program, to its end. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface ToolResult {
  readonly out: Buffer;
  readonly error: string;
}

export interface ToolOptions {
  readonly input?: Buffer | string;
  readonly timeoutMs?: number;
  /** Kafka tools tell of lost connections and the like and go on: then only their exit code counts. Default: it must be 0. */
  readonly allowFailure?: boolean;
}

/** Runs `command`; rejects when it ends with another code than 0, with what it said, or takes longer than `timeoutMs` (two minutes). */
export async function runTool(command: string, args: readonly string[], options: ToolOptions = {}): Promise<ToolResult> {
  const { input = '', timeoutMs = 120_000, allowFailure = false } = options;
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const out: Buffer[] = [];
  let error = '';
  let timedOut = false;
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => {
    error += chunk.toString();
  });
  // Whoever ends early leaves input unread.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill('SIGKILL');
  }, timeoutMs);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    if (timedOut) throw new Error(`${command} ${args.join(' ')} took longer than ${timeoutMs} ms: ${error}`);
    if (code !== 0 && !allowFailure) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${error}`);
    return { out: Buffer.concat(out), error };
  } finally {
    clearTimeout(timer);
  }
}
