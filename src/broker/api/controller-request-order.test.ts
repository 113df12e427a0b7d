import { expect, it } from 'vitest';
import { ControllerRequestOrder } from './controller-request-order.ts';
import { fakeRequest } from './testing/fake-request.ts';

it('does not carry out what a controller sent over a connection that it has given up since', async () => {
  const order = new ControllerRequestOrder();
  const done: string[] = [];
  const handler = order.guard<{ controllerEpoch: number; what: string }, object>((request) => {
    done.push(request.body.what);
    request.respond({});
  });
  const send = async (connectedMs: number, controllerEpoch: number, what: string): Promise<void> => {
    await handler({ ...fakeRequest<{ controllerEpoch: number; what: string }, object>(6, 8, { controllerEpoch, what }), connectedMs });
  };
  await send(100, 1, 'first');
  await send(200, 1, 'over the next connection');
  await send(100, 1, 'late');
  await send(200, 1, 'more');
  await send(150, 2, 'of another controller');
  expect(done).toEqual(['first', 'over the next connection', 'more', 'of another controller']);
});
