import { describe, expect, it } from 'vitest';
import { dataFolderAt, defaultHome, socketPathFor } from './data-folder.ts';

describe('the data folder', () => {
  it('is SAMSA_HOME, else the XDG one, else the one in the home folder; a relative XDG path is ignored', () => {
    expect(defaultHome({ SAMSA_HOME: '/x', XDG_DATA_HOME: '/data' }, 'linux')).toBe('/x');
    expect(defaultHome({ XDG_DATA_HOME: '/data', HOME: '/home/u' }, 'linux')).toBe('/data/samsa');
    expect(defaultHome({ XDG_DATA_HOME: 'data', HOME: '/home/u' }, 'linux')).toBe('/home/u/.local/share/samsa');
    expect(defaultHome({ HOME: '/Users/u' }, 'darwin')).toBe('/Users/u/Library/Application Support/samsa');
  });

  it('keeps what is ours out of the log dirs', () => {
    const folder = dataFolderAt('/x');
    const ours = [
      folder.spec,
      folder.lock,
      folder.socket,
      folder.children,
      folder.config('broker-1'),
      folder.session('broker-1'),
      folder.log('broker-1'),
    ];
    for (const path of ours) expect(path.startsWith(`${folder.broker(1)}/`)).toBe(false);
  });

  it('has a socket path that the kernel takes, also in a deep folder, and a different one for each folder', () => {
    const deep = `/${'d'.repeat(60)}/${'e'.repeat(60)}/cluster/run`;
    expect(Buffer.byteLength(socketPathFor(deep, 'linux'))).toBeLessThan(100);
    expect(socketPathFor(deep, 'linux')).not.toBe(socketPathFor(`${deep}2`, 'linux'));
    expect(socketPathFor('/x/cluster/run', 'linux')).toBe('/x/cluster/run/control.sock');
  });
});
