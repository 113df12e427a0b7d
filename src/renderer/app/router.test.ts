import { describe, expect, it, vi } from 'vitest';
import { createMemoryHistory, createRouter } from 'vue-router';
import { followEarlyChanges, tellFailedPages } from './router.ts';

const page = { render: () => null };

/** A router whose first page is loaded when `load` is called, on a history that has `/late` behind it. */
function startingRouter() {
  const first = Promise.withResolvers<typeof page>();
  const history = createMemoryHistory();
  history.replace('/late');
  history.push('/');
  const router = createRouter({
    history,
    routes: [
      { path: '/', redirect: '/first' },
      { path: '/first', component: () => first.promise },
      { path: '/late', component: page },
      { path: '/later', component: page },
    ],
  });
  followEarlyChanges(router, history);
  return { history, router, load: () => first.resolve(page) };
}

describe('the address', () => {
  it('that is opened while the first page is being loaded is where the console goes', async () => {
    const { history, router, load } = startingRouter();
    const start = router.push('/');
    await new Promise((resolve) => setImmediate(resolve));
    history.go(-1);
    load();
    await start;
    await new Promise((resolve) => setImmediate(resolve));
    expect([router.currentRoute.value.path, history.location]).toEqual(['/late', '/late']);
    await router.push('/later');
    history.go(-1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(router.currentRoute.value.path).toBe('/late');
  });

  it('is that of the first page when no other is opened', async () => {
    const { history, router, load } = startingRouter();
    const start = router.push('/');
    load();
    await start;
    expect([router.currentRoute.value.path, history.location]).toEqual(['/first', '/first']);
  });
});

it('tells of a page whose code cannot be fetched, and of no other failure', async () => {
  const failing = (fault: Error) => () => Promise.reject(fault);
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/', component: page },
      { path: '/gone', component: failing(new TypeError('Failed to fetch dynamically imported module')) },
      { path: '/broken', component: failing(new RangeError('a fault of the page')) },
    ],
  });
  const tell = vi.fn();
  tellFailedPages(router, tell);
  await router.push('/');
  await expect(router.push('/broken')).rejects.toThrow('a fault');
  expect(tell).not.toHaveBeenCalled();
  await expect(router.push('/gone')).rejects.toThrow('Failed to fetch');
  expect(tell).toHaveBeenCalledOnce();
});
