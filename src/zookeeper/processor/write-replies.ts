/** Bodies of replies to writes, from what the tree made of their transaction. */
import { OpCode } from '../jute/constants.ts';
import type { JuteWriter } from '../jute/jute-writer.ts';
import { writeStat } from '../jute/records.ts';
import { writeMultiHeader } from '../jute/requests.ts';
import type { TxnResult } from '../tree/data-tree.ts';

/** Writes the body of the reply to a request of type `requestType` that succeeded. */
export function writeReplyBody(reply: JuteWriter, requestType: number, result: TxnResult): void {
  switch (requestType) {
    case OpCode.create:
      reply.string(result.path ?? '');
      break;
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
      reply.string(result.path ?? '');
      if (result.stat !== undefined) writeStat(reply, result.stat);
      break;
    case OpCode.setData:
    case OpCode.setACL:
      if (result.stat !== undefined) writeStat(reply, result.stat);
      break;
    case OpCode.multi:
      writeMultiReply(reply, result.multi ?? []);
      break;
    default:
  }
}

/** A failed multi is a list of errors and its header says success. Containers and TTL nodes answer like create2. */
function writeMultiReply(reply: JuteWriter, results: readonly TxnResult[]): void {
  for (const result of results) {
    if (result.type === OpCode.error || result.err !== 0) {
      writeMultiHeader(reply, OpCode.error, false, result.err);
      reply.int(result.err);
      continue;
    }
    const type = result.type === OpCode.createContainer || result.type === OpCode.createTTL ? OpCode.create2 : result.type;
    writeMultiHeader(reply, type, false, 0);
    writeReplyBody(reply, type, result);
  }
  writeMultiHeader(reply, -1, true, -1);
}
