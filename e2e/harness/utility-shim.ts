/** Loaded before the console process's own program: `process.parentPort` as Electron's utility processes have it, and the end with its parent. */
import { EventEmitter } from 'node:events';
import type { FromChild, ToChild } from './fake-utility.ts';
import { FakeMessageChannel } from './ports.ts';
import type { FakePort } from './ports.ts';

const parentPort = new EventEmitter();
const ports = new Map<number, FakePort>();

process.on('message', (message: ToChild) => {
  if (message.type === 'message') parentPort.emit('message', { data: message.data, ports: message.ports.map(openPort) });
  else if (message.type === 'port') ports.get(message.id)?.postMessage(message.data);
  else {
    ports.get(message.id)?.close();
    ports.delete(message.id);
  }
});
process.on('disconnect', () => process.exit(0));

function openPort(id: number): FakePort {
  const { port1, port2 } = new FakeMessageChannel();
  ports.set(id, port1);
  port1.on('message', ({ data }: { data: unknown }) => send({ type: 'port', id, data }));
  port1.on('close', () => send({ type: 'port-close', id }));
  port1.start();
  return port2;
}

function send(message: FromChild): void {
  if (process.connected) process.send?.(message);
}

Object.defineProperty(process, 'parentPort', { value: parentPort });
