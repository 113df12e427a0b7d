import { createPinia, setActivePinia } from 'pinia';
import { beforeEach, expect, it, vi } from 'vitest';
import type { Failure, ItemResult } from '../../../console/contract/failure.ts';
import { useConfirm } from './confirm.store.ts';
import type { ConfirmRequest } from './confirm.store.ts';

beforeEach(() => setActivePinia(createPinia()));

const refused: Failure = {
  kind: 'notPermitted',
  api: 'DeleteTopics',
  code: 29,
  name: 'TOPIC_AUTHORIZATION_FAILED',
  brokerId: 1,
  message: 'no',
  retriable: false,
  timeoutMs: null,
};
const request = (change: Partial<ConfirmRequest> = {}): ConfirmRequest => ({
  title: 'Delete?',
  explanation: '',
  verb: 'Delete',
  names: ['a', 'b'],
  run: () =>
    Promise.resolve<ItemResult[]>([
      { name: 'a', failure: null },
      { name: 'b', failure: null },
    ]),
  ...change,
});

it('closes when everything was done, and tells what', async () => {
  const confirm = useConfirm();
  const done = confirm.ask(request());
  await confirm.run();
  expect(confirm.isOpen).toBe(false);
  expect(await done).toEqual(['a', 'b']);
});

it('does nothing when it is cancelled', async () => {
  const confirm = useConfirm();
  const run = vi.fn(() => Promise.resolve([]));
  const done = confirm.ask(request({ run }));
  confirm.close();
  expect(await done).toEqual([]);
  expect(run).not.toHaveBeenCalled();
});

it('stays with a report when one failed, and then tells the others', async () => {
  const confirm = useConfirm();
  const done = confirm.ask(
    request({
      run: () =>
        Promise.resolve([
          { name: 'a', failure: refused },
          { name: 'b', failure: null },
        ]),
    }),
  );
  await confirm.run();
  expect(confirm.isOpen).toBe(true);
  expect(confirm.stage).toBe('report');
  confirm.close();
  expect(await done).toEqual(['b']);
});

it('reports every item as failed when the call itself failed', async () => {
  const confirm = useConfirm();
  void confirm.ask(request({ run: () => Promise.reject(new Error('lost')) }));
  await confirm.run();
  expect(confirm.results.map((result) => result.failure?.message)).toEqual(['lost', 'lost']);
});

it('runs only when the name was typed', async () => {
  const confirm = useConfirm();
  const run = vi.fn(() => Promise.resolve([]));
  void confirm.ask(request({ typed: 'orders', run }));
  confirm.typed = 'order';
  await confirm.run();
  expect(run).not.toHaveBeenCalled();
  confirm.typed = 'orders';
  await confirm.run();
  expect(run).toHaveBeenCalledTimes(1);
});

it('cannot be closed, nor asked again, while it runs', async () => {
  const confirm = useConfirm();
  const running = Promise.withResolvers<readonly ItemResult[]>();
  void confirm.ask(request({ run: () => running.promise }));
  const run = confirm.run();
  confirm.close();
  expect(confirm.isOpen).toBe(true);
  expect(await confirm.ask(request())).toEqual([]);
  running.resolve([]);
  await run;
  expect(confirm.isOpen).toBe(false);
});

it('does not show the impact of a dialog that was closed in the next one', async () => {
  const confirm = useConfirm();
  const late = Promise.withResolvers<[]>();
  void confirm.ask(request({ impact: () => late.promise }));
  confirm.close();
  void confirm.ask(request({ impact: () => Promise.resolve([{ name: 'a', facts: ['1 record'], warning: null }]) }));
  await Promise.resolve();
  late.resolve([]);
  await late.promise;
  await Promise.resolve();
  expect(confirm.impact).toHaveLength(1);
});
