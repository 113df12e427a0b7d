/**
 * The compression libraries, each behind the same two functions, each with what stands in for it.
 *
 * A codec is loaded when first used and must first turn a sample into its other form and back. Under Electron V8's memory
 * cage forbids buffers outside V8, so what a native module returns is copied in (`copyOutputData`).
 * Only whole blocks or frames are asked of them: framing and limits are checked before, in lz4-frame, snappy and zstd.
 */
import { createRequire } from 'node:module';

export interface BlockCodec {
  /** Which implementation it is, for reports. */
  readonly implementation: string;
  compress(data: Buffer): Buffer;
  /** Throws any error on bad input; the caller has bounded what comes out. */
  decompress(data: Buffer): Buffer;
}

const require = createRequire(import.meta.url);

interface Lz4Module {
  compressFrameSync(data: Buffer): Buffer;
  decompressFrameSync(data: Buffer): Buffer;
}

interface SnappyModule {
  compressSync(data: Buffer, options: { copyOutputData: boolean }): Buffer;
  uncompressSync(data: Buffer, options: { asBuffer: boolean; copyOutputData: boolean }): string | Buffer;
}

interface WasmModule {
  lz4Compress(data: Buffer): Buffer;
  lz4Decompress(data: Buffer): Buffer;
  snappyCompress(data: Buffer): Buffer;
  snappyDecompress(data: Buffer): Buffer;
}

function wasm(): WasmModule {
  return require('@platformatic/wasm-utils') as WasmModule;
}

export function nativeLz4(): BlockCodec {
  const native = require('lz4-napi') as Lz4Module;
  return {
    implementation: 'lz4-napi',
    compress: (data) => native.compressFrameSync(data),
    decompress: (data) => native.decompressFrameSync(data),
  };
}

export function wasmLz4(): BlockCodec {
  const module = wasm();
  return {
    implementation: '@platformatic/wasm-utils',
    compress: (data) => module.lz4Compress(data),
    decompress: (data) => module.lz4Decompress(data),
  };
}

export function nativeSnappy(): BlockCodec {
  const native = require('snappy') as SnappyModule;
  return {
    implementation: 'snappy',
    compress: (data) => native.compressSync(data, { copyOutputData: true }),
    decompress: (data) => native.uncompressSync(data, { asBuffer: true, copyOutputData: true }) as Buffer,
  };
}

export function wasmSnappy(): BlockCodec {
  const module = wasm();
  return {
    implementation: '@platformatic/wasm-utils',
    compress: (data) => module.snappyCompress(data),
    decompress: (data) => module.snappyDecompress(data),
  };
}

/** Repeats and does not: long enough that both literals and copies occur. */
const SAMPLE = Buffer.from(`${'samsa '.repeat(40)}0123456789abcdefghijklmnopqrstuvwxyz`);

/** The first of `candidates` that loads and gives back a sample. Throws when none does. */
export function chooseCodec(name: string, candidates: readonly (() => BlockCodec)[]): BlockCodec {
  const reasons: unknown[] = [];
  for (const candidate of candidates) {
    try {
      const codec = candidate();
      if (codec.decompress(codec.compress(SAMPLE)).equals(SAMPLE)) return codec;
      reasons.push(new Error(`${codec.implementation} does not give back what it was given`));
    } catch (error) {
      reasons.push(error);
    }
  }
  throw new AggregateError(reasons, `no implementation of ${name} works on this machine`);
}
