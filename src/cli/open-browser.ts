/** Opens an address in the user's browser, where there is one; that it could not be opened is no failure, the address is printed anyway. */
import { spawn } from 'node:child_process';

export function openBrowser(url: string): void {
  const [command, ...args] = commandFor(process.platform, url);
  // Without a display, xdg-open would try text browsers in our terminal.
  if (process.platform === 'linux' && process.env['DISPLAY'] === undefined && process.env['WAYLAND_DISPLAY'] === undefined) return;
  const child = spawn(command, args, { stdio: 'ignore', detached: true });
  child.on('error', () => {});
  child.unref();
}

function commandFor(platform: NodeJS.Platform, url: string): [command: string, ...args: string[]] {
  if (platform === 'darwin') return ['open', url];
  // `start` takes its first quoted argument for a window's title.
  if (platform === 'win32') return ['cmd', '/c', 'start', '', url];
  return ['xdg-open', url];
}
