/**
 * A Kafka connection for load: requests are bytes that were made before, answers come in the order of the requests and are
 * handed on as views of the receive buffer, without a copy where they fit it. One buffer for all that is received, so that
 * measuring makes no garbage. Our own NetworkClient is not used: its cost would be measured too.
 */
import * as net from 'node:net';
import type { Api } from '../../src/protocol/api.ts';
import { decodeResponse, encodeRequest, SIZE_BYTES } from '../../src/protocol/frames.ts';

const RECEIVE_BYTES = 512 * 1024;

/** `frame` is an answer without its size field; its bytes are gone when this returns. */
export type OnAnswer = (frame: Buffer) => void;

export class RawConnection {
  readonly #socket: net.Socket;
  readonly #waiting: OnAnswer[] = [];
  /** Of the answer that is coming; undefined before its size is known. */
  #needed: number | undefined = undefined;
  #sizeBytes = 0;
  #size = 0;
  #gathered: Buffer = Buffer.allocUnsafeSlow(RECEIVE_BYTES);
  #filled = 0;
  #failed: ((error: Error) => void)[] = [];
  #closed: Error | undefined;

  private constructor(host: string, port: number, onConnect: () => void) {
    const onread = {
      buffer: Buffer.allocUnsafeSlow(RECEIVE_BYTES),
      callback: (length: number, buffer: Uint8Array): boolean => this.#receive(buffer as Buffer, length),
    };
    this.#socket = net.connect({ host, port, noDelay: true, onread }, onConnect);
    this.#socket.on('error', (error) => this.#close(error));
    this.#socket.on('close', () => this.#close(new Error(`the connection to ${host}:${port} was closed`)));
  }

  static open(port: number, host = '127.0.0.1'): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const connection: RawConnection = new RawConnection(host, port, () => {
        connection.#failed = [];
        resolve(connection);
      });
      connection.#failed.push(reject);
    });
  }

  /** Requests that wait for their answer. */
  get inFlight(): number {
    return this.#waiting.length;
  }

  /** Called once, when the connection breaks or is closed. */
  onFailure(listener: (error: Error) => void): void {
    if (this.#closed === undefined) this.#failed.push(listener);
    else listener(this.#closed);
  }

  /** Sends a frame with its size in front. It must not change until it is answered. */
  send(frame: Uint8Array, onAnswer: OnAnswer): void {
    this.#waiting.push(onAnswer);
    this.#socket.write(frame);
  }

  /** For what isn't measured. */
  call<Req, Res, ReqIn, ResIn>(api: Api<Req, Res, ReqIn, ResIn>, version: number, body: ReqIn): Promise<Res> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) {
        reject(this.#closed);
        return;
      }
      const failed = (error: Error): void => reject(error);
      this.#failed.push(failed);
      this.send(Buffer.concat(encodeRequest(api, version, 1, 'samsa-bench', body)), (frame) => {
        this.#failed = this.#failed.filter((listener) => listener !== failed);
        resolve(decodeResponse(api, version, Buffer.from(frame)).body);
      });
    });
  }

  close(): void {
    this.#failed = [];
    this.#socket.destroy();
  }

  #close(error: Error): void {
    if (this.#closed !== undefined) return;
    this.#closed = error;
    for (const listener of this.#failed.splice(0)) listener(error);
  }

  #receive(buffer: Buffer, length: number): boolean {
    let at = 0;
    while (at < length) {
      if (this.#needed === undefined) {
        while (this.#sizeBytes < SIZE_BYTES && at < length) {
          this.#size = (this.#size << 8) | (buffer[at++] ?? 0);
          this.#sizeBytes++;
        }
        if (this.#sizeBytes < SIZE_BYTES) break;
        this.#needed = this.#size;
        this.#sizeBytes = 0;
        this.#size = 0;
        this.#filled = 0;
      }
      const taken = Math.min(length - at, this.#needed - this.#filled);
      if (this.#filled === 0 && taken === this.#needed) {
        this.#answered(buffer.subarray(at, at + taken));
      } else {
        if (this.#gathered.length < this.#needed) this.#gathered = Buffer.allocUnsafeSlow(this.#needed);
        buffer.copy(this.#gathered, this.#filled, at, at + taken);
        this.#filled += taken;
        if (this.#filled === this.#needed) this.#answered(this.#gathered.subarray(0, this.#filled));
      }
      at += taken;
    }
    return true;
  }

  #answered(frame: Buffer): void {
    this.#needed = undefined;
    this.#waiting.shift()?.(frame);
  }
}
