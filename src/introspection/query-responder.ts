/**
 * The child's end of introspection: takes the queries that come over the IPC channel, calls what is registered under the name, and
 * sends the answer. A query never throws into the process and never sends more than `MAX_ANSWER_BYTES`.
 *
 * A handler may be asynchronous; several run beside each other, at most `MAX_OUTSTANDING_QUERIES`. It works on the event loop that also
 * serves clients: what would take over a few milliseconds belongs in pieces or in another query.
 */
import { MAX_ANSWER_BYTES, MAX_OUTSTANDING_QUERIES, QueryError } from './queries.ts';
import type { AnswerMessage, QueryMessage, QueryTable } from './queries.ts';
import { QueryInput } from './query-input.ts';

/** What answers a query. It gets the input as it came, to be read field by field, each checked. */
export type QueryHandler<Answer> = (input: QueryInput) => Answer | Promise<Answer>;

export type QueryHandlers<Queries extends QueryTable<Queries>> = {
  readonly [Name in keyof Queries]: QueryHandler<Queries[Name]['answer']>;
};

export class QueryResponder<Queries extends QueryTable<Queries>> {
  readonly #handlers: ReadonlyMap<string, QueryHandler<unknown>>;
  readonly #send: (answer: AnswerMessage) => void;
  #outstanding = 0;

  constructor(handlers: QueryHandlers<Queries>, send: (answer: AnswerMessage) => void) {
    this.#handlers = new Map(Object.entries<QueryHandler<unknown>>(handlers));
    this.#send = send;
  }

  /** True when `message` was a query; its answer is sent when it is there. */
  onMessage(message: object): boolean {
    if (!isQuery(message)) return false;
    void this.#answer(message);
    return true;
  }

  async #answer({ id, name, input }: QueryMessage): Promise<void> {
    const refuse = (error: QueryError): void => this.#send({ type: 'answer', id, ok: false, code: error.code, message: error.message });
    if (this.#outstanding >= MAX_OUTSTANDING_QUERIES) {
      refuse(new QueryError('busy', `${MAX_OUTSTANDING_QUERIES} queries are being answered already`));
      return;
    }
    this.#outstanding++;
    try {
      const handler = this.#handlers.get(name);
      if (handler === undefined) throw new QueryError('unknown-query', `the query ${JSON.stringify(name)} is unknown here`);
      const json = JSON.stringify((await handler(new QueryInput(name, input))) ?? null);
      if (Buffer.byteLength(json) > MAX_ANSWER_BYTES)
        throw new QueryError('too-large', `the answer to ${name} is longer than ${MAX_ANSWER_BYTES} bytes: ask for less at once`);
      this.#send({ type: 'answer', id, ok: true, json });
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      refuse(error instanceof QueryError ? error : new QueryError('failed', `${name}: ${text}`));
    } finally {
      this.#outstanding--;
    }
  }
}

function isQuery(message: object): message is QueryMessage {
  return 'type' in message && message.type === 'query' && 'id' in message && typeof message.id === 'number' && 'name' in message;
}
