/**
 * The console process's entry under Electron (a `utilityProcess`): the services, apart from windows and supervisor, so that neither a
 * 20 MB value nor a hostile schema can hold or fell those. Main sends a port per page; this process attaches to the supervisor through
 * its control socket like any other client, and ends with its parent.
 *
 * Messages from main: `{ type: 'start', controlSocketPath, logFile }` once, then `{ type: 'connect' }` with a port for each page.
 */
import { connectControl } from '../cluster/control-client.ts';
import { createNodeLogger } from '../runtime/node/node-logger.ts';
import { createNodeRuntime } from '../runtime/node/node-runtime.ts';
import { ConsoleBackend } from './console-backend.ts';
import { checkConsoleMessage } from './process-messages.ts';
import type { StartMessage } from './process-messages.ts';
import { MAX_REQUEST_CHARS } from './transport/channel.ts';
import { portChannel } from './transport/port-channel.ts';
import type { ElectronPort } from './transport/port-channel.ts';
import { readVersion } from './version.ts';

/** Electron's `process.parentPort`. */
interface ParentPort {
  on(event: 'message', listener: (event: { readonly data: unknown; readonly ports: readonly ElectronPort[] }) => void): void;
}

const { parentPort } = process as unknown as { readonly parentPort?: ParentPort };
if (parentPort === undefined) throw new Error('This program is the console process of the app: it is started by it, not by hand');

let backend: Promise<ConsoleBackend> | undefined;

parentPort.on('message', ({ data, ports }) => {
  const message = checkConsoleMessage(data);
  if (message === undefined) return;
  if (message.type === 'start') {
    backend ??= start(message);
    // Without its cluster the console has nothing to show: main starts another process.
    backend.catch((error: unknown) => fail(error));
    return;
  }
  const [port] = ports;
  if (port) void backend?.then((started) => started.accept(portChannel(port, MAX_REQUEST_CHARS)));
});

async function start({ controlSocketPath, logFile }: StartMessage): Promise<ConsoleBackend> {
  const runtime = createNodeRuntime(createNodeLogger({ destination: logFile }));
  const control = await connectControl({ runtime, socketPath: controlSocketPath });
  control.onClose(() => process.exit(0));
  const started = new ConsoleBackend({ runtime, version: readVersion(), host: 'electron', control, closeControl: () => control.close() });
  await started.start();
  return started;
}

function fail(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
}
