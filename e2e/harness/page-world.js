/*
 * Runs in the isolated world of each document, before the page's own scripts, with the bundled preload in it: the part of Electron's
 * renderer that the preload uses. Ports are real MessageChannels whose far end is carried over the binding. `PRELOAD` is replaced.
 */
(() => {
  const call = (message) => globalThis.__samsaHarness(JSON.stringify(message));
  const listeners = new Map();
  const ports = new Map();

  const ipcRenderer = {
    send: (channel, ...args) => call({ type: 'send', channel, args, url: location.href }),
    on: (channel, listener) => {
      listeners.set(channel, [...(listeners.get(channel) ?? []), listener]);
      return ipcRenderer;
    },
  };

  globalThis.__samsaDeliver = (channel, portIds) => {
    const given = portIds.map((id) => {
      const { port1, port2 } = new MessageChannel();
      ports.set(id, port1);
      port1.addEventListener('message', ({ data }) => call({ type: 'port', id, data }));
      port1.start();
      port1.addEventListener('close', () => {
        ports.delete(id);
        call({ type: 'port-close', id });
      });
      return port2;
    });
    for (const listener of listeners.get(channel) ?? []) listener({ ports: given });
  };
  globalThis.__samsaPort = (id, data) => ports.get(id)?.postMessage(data);
  globalThis.__samsaPortClose = (id) => {
    ports.get(id)?.close();
    ports.delete(id);
  };

  const module = { exports: {} };
  const require = (name) => {
    if (name !== 'electron') throw new Error(`a sandboxed preload has no ${name}`);
    return { ipcRenderer };
  };
  // oxlint-disable-next-line no-unused-vars -- the preload, a CommonJS module, uses them
  ((exports, require, module) => {
    /* PRELOAD */
  })(module.exports, require, module);
})();
