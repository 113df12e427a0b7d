/** A TCP proxy for tests that cuts, freezes and truncates what goes through it. */
import * as net from 'node:net';

interface Pair {
  readonly client: net.Socket;
  readonly server: net.Socket;
}

export class FlakyProxy {
  readonly #server: net.Server;
  readonly #pairs = new Set<Pair>();
  #frozen = false;
  #refusing = false;
  /** What was sent either way, and what of the clients' went nowhere. */
  chunksFromClients = 0;
  chunksFromServer = 0;
  swallowedBytes = 0;
  /** Bytes still let through from the server before the connection is cut. */
  #cutAfterBytes: number | undefined;

  private constructor(targetPort: number) {
    this.#server = net.createServer((client) => {
      if (this.#refusing) {
        client.destroy();
        return;
      }
      const server = net.connect(targetPort, '127.0.0.1');
      const pair = { client, server };
      this.#pairs.add(pair);
      client.on('data', (chunk: Buffer) => {
        this.chunksFromClients++;
        if (this.#frozen) this.swallowedBytes += chunk.length;
        else server.write(chunk);
      });
      server.on('data', (chunk: Buffer) => this.#toClient(pair, chunk));
      const gone = (): void => {
        this.#pairs.delete(pair);
        client.destroy();
        server.destroy();
      };
      for (const socket of [client, server]) socket.on('error', gone).on('close', gone);
    });
  }

  static async start(targetPort: number): Promise<FlakyProxy> {
    const proxy = new FlakyProxy(targetPort);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Breaks every connection. */
  cut(): void {
    for (const { client } of this.#pairs) client.destroy();
  }

  /** Lets `bytes` more from the server through, then breaks the connection. */
  cutAfter(bytes: number): void {
    this.#cutAfterBytes = bytes;
  }

  /** Swallows everything, connections stay open. */
  set frozen(frozen: boolean) {
    this.#frozen = frozen;
  }

  /** Closes new connections at once. */
  set refusing(refusing: boolean) {
    this.#refusing = refusing;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #toClient(pair: Pair, chunk: Buffer): void {
    this.chunksFromServer++;
    if (this.#frozen) return;
    if (this.#cutAfterBytes === undefined) {
      pair.client.write(chunk);
      return;
    }
    const part = chunk.subarray(0, this.#cutAfterBytes);
    this.#cutAfterBytes -= part.length;
    const last = this.#cutAfterBytes <= 0;
    if (last) this.#cutAfterBytes = undefined;
    pair.client.write(part, () => {
      if (last) pair.client.destroy();
    });
  }
}
