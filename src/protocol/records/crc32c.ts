/**
 * CRC-32C (Castagnoli), which covers a record batch from its attributes to its end, and producer snapshots.
 *
 * Done by `@node-rs/crc32` (a native module); where that does not load or fails its self-check, by WebAssembly.
 */
import { createRequire } from 'node:module';

export type Crc32c = (data: Uint8Array) => number;

const require = createRequire(import.meta.url);
/** CRC-32C of the ASCII digits '123456789', its standard check value. */
const CHECK_INPUT = Buffer.from('123456789');
const CHECK_VALUE = 0xe3069283;

let chosen: Crc32c | undefined;

/** The checksum of `data`, from 0 to 2^32 - 1. */
export function crc32c(data: Uint8Array): number {
  return (chosen ??= chooseCrc32c())(data);
}

/** The native implementation; throws where there is none for this machine. */
export function nativeCrc32c(): Crc32c {
  const native = require('@node-rs/crc32') as { crc32c: Crc32c };
  return native.crc32c;
}

/** The WebAssembly implementation. */
export function wasmCrc32c(): Crc32c {
  const wasm = require('@platformatic/wasm-utils') as { crc32c(data: Uint8Array): number };
  return (data) => wasm.crc32c(data) >>> 0;
}

/** The first implementation that loads and gives the check value. Throws when none does. */
export function chooseCrc32c(candidates: readonly (() => Crc32c)[] = [nativeCrc32c, wasmCrc32c]): Crc32c {
  const reasons: unknown[] = [];
  for (const candidate of candidates) {
    try {
      const implementation = candidate();
      if (implementation(CHECK_INPUT) === CHECK_VALUE) return implementation;
      reasons.push(new Error('wrong check value'));
    } catch (error) {
      reasons.push(error);
    }
  }
  throw new AggregateError(reasons, 'no implementation of CRC-32C works on this machine');
}
