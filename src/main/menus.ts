/** The menu bar and the tray: roles of the platform, and what has no place in the page. */
import { Menu, Tray, app, nativeImage } from 'electron';
import type { MenuItemConstructorOptions } from 'electron';

export function installMenu(isPackaged: boolean): void {
  const isMac = process.platform === 'darwin';
  const view: MenuItemConstructorOptions[] = [
    { role: 'resetZoom' },
    { role: 'zoomIn' },
    { role: 'zoomOut' },
    { type: 'separator' },
    { role: 'togglefullscreen' },
  ];
  const template: MenuItemConstructorOptions[] = [
    ...(isMac ? [{ role: 'appMenu' as const }] : [{ label: 'File', submenu: [{ role: 'quit' as const }] }]),
    { role: 'editMenu' },
    { label: 'View', submenu: isPackaged ? view : [...view, { type: 'separator' }, { role: 'toggleDevTools' }] },
    { role: 'windowMenu' },
  ];
  Menu.setApplicationMenu(Menu.buildFromTemplate(template));
}

export interface AppTray {
  /** One line on how the cluster is. */
  setStatus(text: string): void;
  destroy(): void;
}

/** A tray icon with the cluster's state, "show" and "quit"; undefined where the desktop has no tray. */
export function createTray(iconPath: string, show: () => void): AppTray | undefined {
  const icon = nativeImage.createFromPath(iconPath);
  if (icon.isEmpty()) return undefined;
  let tray: Tray;
  try {
    tray = new Tray(icon);
  } catch {
    return undefined;
  }
  const update = (status: string): void => {
    tray.setToolTip(`Samsa: ${status}`);
    tray.setContextMenu(
      Menu.buildFromTemplate([
        { label: status, enabled: false },
        { type: 'separator' },
        { label: 'Show', click: show },
        { label: 'Quit', click: () => app.quit() },
      ]),
    );
  };
  update('starting');
  tray.on('click', show);
  return { setStatus: update, destroy: () => tray.destroy() };
}
