/** What only the browser host promises, with a real browser: the token is good once, the address is clean, the policy holds. The refusals are in src/server's tests. */
import { expect, test } from './fixtures.ts';

test('the token is good once, and leaves no trace in the address', async ({ app, appPage, browser }) => {
  expect(new URL(appPage.url()).search).toBe('');
  const stranger = await browser.newContext();
  const page = await stranger.newPage();
  const response = await page.goto(app.url ?? '');
  expect(response?.status()).toBe(403);
  await stranger.close();
});

test("the session is no script's", async ({ appPage }) => {
  expect(await appPage.evaluate(() => document.cookie)).toBe('');
});

test('the page reaches the console and breaks no policy', async ({ app, appPage }) => {
  const broken: string[] = [];
  appPage.on('console', (message) => {
    if (/Content Security Policy|Refused to/i.test(message.text())) broken.push(message.text());
  });
  await appPage.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      console.error(`Content Security Policy: ${violatedDirective} ${blockedURI}`),
    );
  });
  await appPage.reload();
  await expect(appPage).toHaveTitle(/Samsa/);
  await expect(appPage.getByText('broker-1').or(appPage.getByText('Broker 1')).first()).toBeVisible();
  expect(broken).toEqual([]);
  // And the policy is really there.
  expect(
    await appPage.evaluate(async () => {
      const script = document.createElement('script');
      script.textContent = 'globalThis.inlineRan = true';
      document.body.append(script);
      return {
        inlineRan: 'inlineRan' in globalThis,
        fetched: await fetch('https://example.invalid/').then(
          () => true,
          () => false,
        ),
      };
    }),
  ).toEqual({ inlineRan: false, fetched: false });
  expect(app.host).toBe('browser');
});
