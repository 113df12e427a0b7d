/** How a record's key or value is printed. A decoder never fails: bytes that don't fit are said, and shown as hex. */
const DECODERS = {
  string: (bytes: Buffer): string => bytes.toString('utf8'),
  /** In one line, whatever its layout was. */
  json: (bytes: Buffer): string => {
    try {
      return JSON.stringify(JSON.parse(bytes.toString('utf8')));
    } catch {
      return `(not JSON) ${bytes.toString('utf8')}`;
    }
  },
  hex: (bytes: Buffer): string => bytes.toString('hex'),
  base64: (bytes: Buffer): string => bytes.toString('base64'),
  integer: (bytes: Buffer): string => (bytes.length === 4 ? String(bytes.readInt32BE(0)) : misfit('integer', 4, bytes)),
  long: (bytes: Buffer): string => (bytes.length === 8 ? String(bytes.readBigInt64BE(0)) : misfit('long', 8, bytes)),
  short: (bytes: Buffer): string => (bytes.length === 2 ? String(bytes.readInt16BE(0)) : misfit('short', 2, bytes)),
  float: (bytes: Buffer): string => (bytes.length === 4 ? String(bytes.readFloatBE(0)) : misfit('float', 4, bytes)),
  double: (bytes: Buffer): string => (bytes.length === 8 ? String(bytes.readDoubleBE(0)) : misfit('double', 8, bytes)),
} as const;

export type DecoderName = keyof typeof DECODERS;

export function isDecoderName(name: string): name is DecoderName {
  return Object.hasOwn(DECODERS, name);
}

export function decoderNames(): string {
  return Object.keys(DECODERS).join(', ');
}

export function decodePayload(name: DecoderName, bytes: Buffer): string {
  return DECODERS[name](bytes);
}

function misfit(name: string, length: number, bytes: Buffer): string {
  return `(no ${name}: ${bytes.length} bytes, not ${length}) ${bytes.toString('hex')}`;
}
