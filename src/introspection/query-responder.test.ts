import { describe, expect, it } from 'vitest';
import { MAX_ANSWER_BYTES, MAX_OUTSTANDING_QUERIES, QueryError } from './queries.ts';
import type { AnswerMessage } from './queries.ts';
import { QueryResponder } from './query-responder.ts';
import type { QueryHandlers } from './query-responder.ts';

interface Queries {
  readonly echo: { readonly input: { readonly word: string; readonly times: number }; readonly answer: string };
  readonly wait: { readonly input: object; readonly answer: number };
  readonly big: { readonly input: object; readonly answer: string };
  readonly missing: { readonly input: object; readonly answer: never };
  readonly broken: { readonly input: object; readonly answer: never };
}

function setUp() {
  const sent: AnswerMessage[] = [];
  const waiting: ((value: number) => void)[] = [];
  const handlers: QueryHandlers<Queries> = {
    echo: (input) => input.text('word').repeat(input.integer('times', 1, 3)),
    wait: () => new Promise((resolve) => waiting.push(resolve)),
    big: () => 'ä'.repeat(MAX_ANSWER_BYTES / 2),
    missing: () => {
      throw new QueryError('not-found', 'there is no partition 7');
    },
    broken: () => {
      throw new TypeError('cannot read it');
    },
  };
  const responder = new QueryResponder(handlers, (answer) => sent.push(answer));
  const ask = async (name: string, input: unknown = {}, id = 1): Promise<AnswerMessage | undefined> => {
    responder.onMessage({ type: 'query', id, name, input });
    await new Promise((resolve) => setImmediate(resolve));
    return sent.at(-1);
  };
  return { responder, sent, waiting, ask };
}

describe('QueryResponder', () => {
  it('answers what is registered, as JSON text under the question’s id', async () => {
    const { ask } = setUp();
    expect(await ask('echo', { word: 'hé', times: 2 }, 9)).toEqual({ type: 'answer', id: 9, ok: true, json: '"héhé"' });
  });

  it('leaves other messages to others', () => {
    const { responder, sent } = setUp();
    expect([responder.onMessage({ type: 'stop' }), responder.onMessage({ type: 'query', name: 'echo' })]).toEqual([false, false]);
    expect(sent).toEqual([]);
  });

  it.each([
    ['an unknown name', 'nothing', {}, 'unknown-query', /"nothing" is unknown/],
    ['a missing field', 'echo', { times: 1 }, 'bad-input', /echo: word is missing; allowed is text/],
    ['a field out of range', 'echo', { word: 'a', times: 4 }, 'bad-input', /times is 4; allowed is a whole number from 1 to 3/],
    ['an input that is no object', 'echo', [1], 'bad-input', /allowed is an object/],
    ['what is not there', 'missing', {}, 'not-found', /no partition 7/],
    ['an answer that is too long', 'big', {}, 'too-large', /longer than 1048576 bytes/],
    ['a handler that throws', 'broken', {}, 'failed', /broken: cannot read it/],
  ])('refuses %s with its code and why', async (_what, name, input, code, message) => {
    const { ask } = setUp();
    const answer = await ask(name, input);
    expect(answer).toMatchObject({ ok: false, code });
    expect(answer).toHaveProperty('message', expect.stringMatching(message));
  });

  it('works on several at once, answers each when it is ready, and refuses more than it may hold', async () => {
    const { ask, waiting, sent } = setUp();
    for (let id = 1; id <= MAX_OUTSTANDING_QUERIES; id++) await ask('wait', {}, id);
    expect(await ask('echo', { word: 'a', times: 1 }, 1_000)).toMatchObject({ id: 1_000, code: 'busy' });
    waiting[1]?.(22);
    waiting[0]?.(11);
    await new Promise((resolve) => setImmediate(resolve));
    expect(sent.slice(1)).toEqual([
      { type: 'answer', id: 2, ok: true, json: '22' },
      { type: 'answer', id: 1, ok: true, json: '11' },
    ]);
    expect(await ask('echo', { word: 'a', times: 1 }, 1_001)).toMatchObject({ id: 1_001, ok: true });
  });
});
