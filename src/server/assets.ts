/**
 * The built renderer as a closed set of files: listed once at the start, looked up by exact path, so no request can name a
 * file outside. Vite's hashed files never change and are cached for good; the page itself is never stored.
 */
import { readdir, stat } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';

const MAX_ASSETS = 5000;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.woff': 'font/woff',
  '.wasm': 'application/wasm',
  '.map': 'application/json; charset=utf-8',
};

export interface Asset {
  readonly file: string;
  readonly contentType: string;
  readonly cacheControl: string;
}

/** The files under `directory` by URL path; `/` is index.html. Throws when there is no index.html or a file is of an unknown type. */
export async function listAssets(directory: string): Promise<ReadonlyMap<string, Asset>> {
  const assets = new Map<string, Asset>();
  const names = await readdir(directory, { recursive: true });
  if (names.length > MAX_ASSETS) throw new Error(`${directory} has ${names.length} entries: it is not a built renderer`);
  for (const name of names) {
    const file = join(directory, name);
    if (!(await stat(file)).isFile()) continue;
    const contentType = TYPES[extname(name).toLowerCase()];
    if (contentType === undefined) continue;
    const path = `/${relative(directory, file).split(sep).join('/')}`;
    assets.set(path, { file, contentType, cacheControl: isHashed(path) ? 'public, max-age=31536000, immutable' : 'no-store' });
  }
  const index = assets.get('/index.html');
  if (index === undefined) throw new Error(`${directory} has no index.html: build the renderer first (npx electron-vite build)`);
  assets.set('/', index);
  return assets;
}

/** Vite writes `assets/NAME-HASH.EXT`, with eight characters of hash. */
function isHashed(path: string): boolean {
  return /^\/assets\/.+-[\w-]{8}\.[a-z0-9]+$/.test(path);
}
