/** Keys and values as text, JSON, hex or base64. Pure; whatever the bytes are, something readable comes out. */
import type { MessageRow, Payload } from '../../../console/contract/messages.ts';
import { fromBase64 } from '../../../console/transport/codec.ts';

export const payloadFormats = ['json', 'text', 'hex'] as const;
export type PayloadFormat = (typeof payloadFormats)[number];

export function payloadBytes(payload: Payload): Uint8Array {
  return payload.encoding === 'text' ? new TextEncoder().encode(payload.data) : fromBase64(payload.data);
}

/** One line for a grid's cell: text as it is with line ends made visible, bytes as hex. At most `maxChars`. */
export function payloadLine(payload: Payload, maxChars = 300): string {
  if (payload.encoding === 'text') return payload.data.slice(0, maxChars).replaceAll(/\r?\n/g, '⏎').replaceAll('\t', '⇥');
  const bytes = payloadBytes(payload).subarray(0, Math.ceil(maxChars / 3));
  return Array.from(bytes, hexByte).join(' ');
}

const hexByte = (byte: number): string => byte.toString(16).padStart(2, '0');

/** Indented JSON, or null when the text isn't JSON. Numbers keep their digits: 2^53 and above must not be rounded on screen. */
export function prettyJson(text: string): string | null {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  return indentJson(text);
}

/** Re-indents text that is known to be JSON without parsing its numbers. One pass, no recursion. */
export function indentJson(json: string): string {
  const out: string[] = [];
  let depth = 0;
  let from = 0;
  const line = (): string => `\n${'  '.repeat(depth)}`;
  for (let at = 0; at < json.length; at++) {
    const char = json[at];
    if (char === '"') {
      const start = at;
      at++;
      while (json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
      out.push(json.slice(start, at + 1));
      from = at + 1;
      continue;
    }
    if (char === ' ' || char === '\n' || char === '\r' || char === '\t') {
      if (at > from) out.push(json.slice(from, at));
      from = at + 1;
      continue;
    }
    if (char !== '{' && char !== '[' && char !== '}' && char !== ']' && char !== ',' && char !== ':') continue;
    if (at > from) out.push(json.slice(from, at));
    from = at + 1;
    if (char === '{' || char === '[') {
      const close = nextSolid(json, at + 1);
      if (json[close] === '}' || json[close] === ']') {
        out.push(char, json[close] ?? '');
        at = close;
        from = close + 1;
        continue;
      }
      depth++;
      out.push(char, line());
    } else if (char === '}' || char === ']') {
      depth--;
      out.push(line(), char);
    } else if (char === ',') out.push(',', line());
    else out.push(': ');
  }
  if (from < json.length) out.push(json.slice(from));
  return out.join('');
}

function nextSolid(json: string, from: number): number {
  let at = from;
  while (at < json.length && /\s/.test(json[at] ?? '')) at++;
  return at;
}

/** Position, `perLine` bytes (8 or 16), and the characters they are: as hex dumps have looked for fifty years. */
export function hexDump(bytes: Uint8Array, perLine: 8 | 16 = 16): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += perLine) {
    const row = bytes.subarray(at, at + perLine);
    const hex = Array.from(row, hexByte);
    const left = hex.slice(0, 8).join(' ').padEnd(23);
    const right = perLine === 8 ? '' : `  ${hex.slice(8).join(' ').padEnd(23)}`;
    const text = Array.from(row, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${at.toString(16).padStart(8, '0')}  ${left}${right}  ${text}`);
  }
  return lines.join('\n');
}

/** Bytes of a whole value as text, with a replacement character for what isn't UTF-8. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** An editor lays out a line as a whole: very long ones are broken for display. Copying takes the original. */
export function foldLongLines(text: string, maxChars: number): { readonly text: string; readonly isFolded: boolean } {
  if (text.length <= maxChars) return { text, isFolded: false };
  let isFolded = false;
  const lines = text.split('\n').map((line) => {
    if (line.length <= maxChars) return line;
    isFolded = true;
    const pieces: string[] = [];
    for (let at = 0; at < line.length; at += maxChars) pieces.push(line.slice(at, at + maxChars));
    return pieces.join('\n');
  });
  return { text: isFolded ? lines.join('\n') : text, isFolded };
}

export function messageKey(row: Pick<MessageRow, 'partition' | 'offset'>): string {
  return `${row.partition}:${row.offset}`;
}

/** Newest first: by time, then by offset; partitions by number where both are equal. */
export function newestFirst(rows: readonly MessageRow[]): readonly MessageRow[] {
  return [...rows].sort(
    (a, b) =>
      (b.timestampMs ?? 0) - (a.timestampMs ?? 0) || (a.partition === b.partition ? b.offset - a.offset : a.partition - b.partition),
  );
}
