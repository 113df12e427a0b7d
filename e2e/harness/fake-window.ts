/**
 * BrowserWindow and its webContents on a Chromium target. What Electron would do is done over CDP: the preload in an isolated world,
 * requests answered by the handler of `protocol.handle`, navigations and new windows put to the app's listeners, ports carried.
 *
 * Chromium knows nothing of `samsa-app:`, so the page lives at an https origin that does not exist and is never asked for.
 */
import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Cdp, CdpParams } from './cdp.ts';
import type { FakePort } from './ports.ts';

const WORLD = 'samsa-preload';
const PAGE_ORIGIN = 'https://console.samsa-app.test';
const APP_ORIGIN = 'samsa-app://console';
const WORLD_SOURCE = readFileSync(fileURLToPath(new URL('page-world.js', import.meta.url)), 'utf8');

export type ProtocolHandler = (request: Request) => Promise<Response>;

export interface Harness {
  readonly cdp: Cdp;
  readonly handlers: ReadonlyMap<string, ProtocolHandler>;
  readonly ipcMain: EventEmitter;
  readonly app: EventEmitter;
  /** Told to the test. */
  trace(event: string, details?: Record<string, unknown>): void;
}

export interface WindowOptions {
  readonly width?: number;
  readonly height?: number;
  readonly webPreferences?: { readonly preload?: string } & Record<string, unknown>;
}

export const toPageUrl = (url: string): string => (url.startsWith(APP_ORIGIN) ? PAGE_ORIGIN + url.slice(APP_ORIGIN.length) : url);
export const toAppUrl = (url: string): string => (url.startsWith(PAGE_ORIGIN) ? APP_ORIGIN + url.slice(PAGE_ORIGIN.length) : url);

let nextPortId = 1;

export class FakeFrame {
  readonly #contents: FakeWebContents;
  url = 'about:blank';

  constructor(contents: FakeWebContents) {
    this.#contents = contents;
  }

  isDestroyed(): boolean {
    return this.#contents.destroyed;
  }

  postMessage(channel: string, _message: unknown, ports: readonly FakePort[] = []): void {
    void this.#contents.deliver(channel, ports);
  }
}

class Preventable {
  readonly url: string;
  readonly isMainFrame: boolean;
  defaultPrevented = false;

  constructor(url: string, isMainFrame: boolean) {
    this.url = url;
    this.isMainFrame = isMainFrame;
  }

  preventDefault(): void {
    this.defaultPrevented = true;
  }
}

export class FakeWebContents extends EventEmitter {
  readonly mainFrame = new FakeFrame(this);
  readonly ready: Promise<void>;
  destroyed = false;
  readonly #harness: Harness;
  readonly #ports = new Map<number, FakePort>();
  #session = '';
  #targetId = '';
  #context: number | undefined;
  #openHandler: (details: { url: string }) => { action: string } = () => ({ action: 'allow' });
  /** The navigation that the app itself asked for: Electron asks no listener about it. */
  #loading: string | undefined;

  constructor(harness: Harness, options: WindowOptions) {
    super();
    this.#harness = harness;
    this.ready = this.#open(options);
  }

  get targetId(): string {
    return this.#targetId;
  }

  getURL(): string {
    return this.mainFrame.url;
  }

  setWindowOpenHandler(handler: (details: { url: string }) => { action: string }): void {
    this.#openHandler = handler;
  }

  async load(url: string): Promise<void> {
    await this.ready;
    this.#loading = toPageUrl(url);
    await this.#send('Page.navigate', { url: toPageUrl(url) });
  }

  /** A message with ports to the page's preload. */
  async deliver(channel: string, ports: readonly FakePort[]): Promise<void> {
    const ids = ports.map((port) => {
      const id = nextPortId++;
      this.#ports.set(id, port);
      return id;
    });
    await this.#evaluate(`__samsaDeliver(${JSON.stringify(channel)}, ${JSON.stringify(ids)})`);
    for (const [index, port] of ports.entries()) {
      const id = ids[index];
      port.on('message', ({ data }: { data: unknown }) => void this.#evaluate(`__samsaPort(${id}, ${JSON.stringify(data)})`));
      port.on('close', () => void this.#evaluate(`__samsaPortClose(${id})`));
      port.start();
    }
  }

  /** For the test: an expression in the page's own world, as if after a click. */
  async evaluateInPage(expression: string): Promise<unknown> {
    const { result } = await this.#send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true, userGesture: true });
    return (result as { value?: unknown }).value;
  }

  async destroy(): Promise<void> {
    if (this.destroyed) return;
    this.destroyed = true;
    this.#closePorts();
    await this.#harness.cdp.send('Target.closeTarget', { targetId: this.#targetId }).catch(() => undefined);
  }

  async #open({ webPreferences }: WindowOptions): Promise<void> {
    const { cdp } = this.#harness;
    const { targetId } = await cdp.send('Target.createTarget', { url: 'about:blank' });
    this.#targetId = String(targetId);
    const { sessionId } = await cdp.send('Target.attachToTarget', { targetId, flatten: true });
    this.#session = String(sessionId);
    this.#listen();
    const preload = webPreferences?.preload === undefined ? '' : readFileSync(webPreferences.preload, 'utf8');
    await this.#send('Page.enable');
    await this.#send('Runtime.enable');
    await this.#send('Runtime.addBinding', { name: '__samsaHarness', executionContextName: WORLD });
    // A function, so that `$` in the preload is not taken for a pattern.
    const source = WORLD_SOURCE.replace('/* PRELOAD */', () => preload);
    await this.#send('Page.addScriptToEvaluateOnNewDocument', { source, worldName: WORLD });
    await this.#send('Fetch.enable', { patterns: [{ urlPattern: '*' }] });
    await cdp.send('Target.setDiscoverTargets', { discover: true });
  }

  #listen(): void {
    const { cdp } = this.#harness;
    const on = (event: string, listener: (params: CdpParams) => void): void => {
      cdp.on(event, (params, sessionId) => {
        if (sessionId === this.#session) listener(params);
      });
    };
    on('Runtime.executionContextCreated', (params) => {
      const { id, name, auxData } = params['context'] as { id: number; name: string; auxData: { frameId: string } };
      if (name !== WORLD || auxData.frameId !== this.#targetId) return;
      // Another document: what the old one held is gone.
      this.#closePorts();
      this.#context = id;
    });
    on('Runtime.executionContextDestroyed', ({ executionContextId }) => {
      if (executionContextId === this.#context) this.#context = undefined;
    });
    on('Runtime.bindingCalled', ({ payload, executionContextId }) =>
      this.#onBinding(JSON.parse(String(payload)) as BindingMessage, executionContextId === this.#context),
    );
    on('Fetch.requestPaused', (params) => {
      this.#onRequest(params).catch((error: unknown) => {
        // A request of a window that is gone by now needs no answer.
        if (!this.destroyed) this.#harness.trace('harness-error', { message: String(error) });
      });
    });
    on('Page.frameNavigated', (params) => {
      const { parentId, url } = params['frame'] as { parentId?: string; url: string };
      if (parentId === undefined) this.mainFrame.url = toAppUrl(url);
    });
    on('Page.navigatedWithinDocument', ({ url }) => {
      this.mainFrame.url = toAppUrl(String(url));
    });
    on('Page.domContentEventFired', () => this.emit('ready-to-show'));
    cdp.on('Target.targetCreated', (params) => {
      const { targetId, openerId, url, type } = params['targetInfo'] as { targetId: string; openerId?: string; url: string; type: string };
      if (openerId !== this.#targetId || type !== 'page') return;
      const { action } = this.#openHandler({ url: toAppUrl(url) });
      this.#harness.trace('window-open', { url, action });
      if (action === 'deny') void cdp.send('Target.closeTarget', { targetId }).catch(() => undefined);
    });
  }

  #onBinding(message: BindingMessage, isMainFrame: boolean): void {
    if (message.type === 'port') {
      this.#ports.get(message.id)?.postMessage(message.data);
      return;
    }
    if (message.type === 'port-close') {
      this.#ports.get(message.id)?.close();
      this.#ports.delete(message.id);
      return;
    }
    const frame = isMainFrame ? this.mainFrame : Object.assign(new FakeFrame(this), { url: toAppUrl(message.url) });
    this.#harness.ipcMain.emit(message.channel, { sender: this, senderFrame: frame }, ...message.args);
  }

  async #onRequest(params: CdpParams): Promise<void> {
    const { requestId, resourceType, frameId } = params;
    const { url, method } = params['request'] as { url: string; method: string };
    const isDocument = resourceType === 'Document';
    const isMainFrame = frameId === this.#targetId;
    if (isDocument && !(isMainFrame && this.#loading === url.split('#')[0]) && this.#isRefused(url, isMainFrame)) {
      this.#harness.trace('navigation-refused', { url: toAppUrl(url) });
      await this.#send('Fetch.failRequest', { requestId, errorReason: 'Aborted' });
      return;
    }
    const handler = url.startsWith(`${PAGE_ORIGIN}/`) ? this.#harness.handlers.get('samsa-app') : undefined;
    if (handler === undefined) {
      // There is no network behind the app: what gets here was let through by the policy, and should not have been.
      this.#harness.trace('request-to-the-outside', { url });
      await this.#send('Fetch.failRequest', { requestId, errorReason: 'BlockedByClient' });
      return;
    }
    const response = await handler({ url: toAppUrl(url), method } as Request);
    await this.#send('Fetch.fulfillRequest', {
      requestId,
      responseCode: response.status,
      responseHeaders: Array.from(response.headers, ([name, value]) => ({ name, value })),
      body: Buffer.from(await response.arrayBuffer()).toString('base64'),
    });
  }

  /** As Electron asks: the listeners of `will-frame-navigate`, and of `will-navigate` for the main frame. */
  #isRefused(url: string, isMainFrame: boolean): boolean {
    const event = new Preventable(toAppUrl(url), isMainFrame);
    this.emit('will-frame-navigate', event);
    if (isMainFrame) this.emit('will-navigate', event);
    return event.defaultPrevented;
  }

  #closePorts(): void {
    for (const port of this.#ports.values()) port.close();
    this.#ports.clear();
  }

  async #evaluate(expression: string): Promise<void> {
    if (this.#context === undefined || this.destroyed) return;
    await this.#send('Runtime.evaluate', { expression, contextId: this.#context }).catch(() => undefined);
  }

  #send(method: string, params: CdpParams = {}): Promise<CdpParams> {
    return this.#harness.cdp.send(method, params, this.#session);
  }
}

type BindingMessage =
  | { readonly type: 'send'; readonly channel: string; readonly args: readonly unknown[]; readonly url: string }
  | { readonly type: 'port'; readonly id: number; readonly data: unknown }
  | { readonly type: 'port-close'; readonly id: number };

const windows = new Set<FakeBrowserWindow>();

export class FakeBrowserWindow extends EventEmitter {
  static harness: Harness;
  readonly webContents: FakeWebContents;
  readonly options: WindowOptions;
  visible = false;

  static getAllWindows(): FakeBrowserWindow[] {
    return Array.from(windows);
  }

  constructor(options: WindowOptions) {
    super();
    const { harness } = FakeBrowserWindow;
    this.options = options;
    this.webContents = new FakeWebContents(harness, options);
    this.webContents.on('ready-to-show', () => this.emit('ready-to-show'));
    harness.app.emit('web-contents-created', {}, this.webContents);
    windows.add(this);
    void this.webContents.ready.then(() => harness.trace('window-created', { targetId: this.webContents.targetId, options }));
  }

  loadURL(url: string): Promise<void> {
    return this.webContents.load(url);
  }

  show(): void {
    this.visible = true;
  }

  focus(): void {}

  restore(): void {}

  isMinimized(): boolean {
    return false;
  }

  /** At once, without asking the page. */
  destroy(): void {
    if (!windows.delete(this)) return;
    FakeBrowserWindow.harness.trace('window-destroyed');
    void this.webContents.destroy();
    if (windows.size === 0) FakeBrowserWindow.harness.app.emit('window-all-closed');
  }

  /** As the user's click on the window's cross. */
  close(): void {
    this.destroy();
  }
}
