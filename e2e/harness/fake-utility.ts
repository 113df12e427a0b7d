/** `utilityProcess.fork` on a child process: messages over its channel, ports carried one by one (`utility-shim.ts` is the other end). */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FakePort } from './ports.ts';

const SHIM = fileURLToPath(new URL('utility-shim.ts', import.meta.url));

export type ToChild =
  | { readonly type: 'message'; readonly data: unknown; readonly ports: readonly number[] }
  | { readonly type: 'port'; readonly id: number; readonly data: unknown }
  | { readonly type: 'port-close'; readonly id: number };
export type FromChild = Exclude<ToChild, { readonly type: 'message' }>;

export class FakeUtilityProcess extends EventEmitter {
  readonly #child: ChildProcess;
  readonly #ports = new Map<number, FakePort>();
  #nextPortId = 1;

  constructor(entry: string, args: readonly string[]) {
    super();
    this.#child = fork(entry, args, {
      execArgv: ['--import', SHIM, '--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', (message: FromChild) => this.#onMessage(message));
    this.#child.on('exit', (code) => {
      for (const port of this.#ports.values()) port.close();
      this.emit('exit', code ?? 0);
    });
    // Whatever ends this process ends its children too.
    process.once('exit', () => this.#child.kill('SIGKILL'));
  }

  get pid(): number | undefined {
    return this.#child.exitCode === null && this.#child.signalCode === null ? this.#child.pid : undefined;
  }

  kill(): boolean {
    return this.#child.kill();
  }

  postMessage(data: unknown, ports: readonly FakePort[] = []): void {
    const ids = ports.map((port) => {
      const id = this.#nextPortId++;
      this.#ports.set(id, port);
      port.on('message', ({ data: message }: { data: unknown }) => this.#send({ type: 'port', id, data: message }));
      port.on('close', () => this.#send({ type: 'port-close', id }));
      return id;
    });
    this.#send({ type: 'message', data, ports: ids });
    for (const port of ports) port.start();
  }

  #send(message: ToChild): void {
    // A child that ends at this moment hears no more: that is no error of the app's.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  #onMessage(message: FromChild): void {
    const port = this.#ports.get(message.id);
    if (message.type === 'port') port?.postMessage(message.data);
    else {
      port?.close();
      this.#ports.delete(message.id);
    }
  }
}
