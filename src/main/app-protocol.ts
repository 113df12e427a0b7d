/**
 * `samsa-app://console/`: the app's page, served from the built renderer with the policy that the browser host sends too. The scheme is
 * standard and secure, so the page has an origin of its own and nothing of `file:`. Only files that exist under the renderer's folder
 * are served, looked up after the path has been resolved.
 */
import { readFile } from 'node:fs/promises';
import { extname, join, normalize, sep } from 'node:path';
import { SECURITY_HEADERS } from '../console/contract/content-security-policy.ts';
import { APP_SCHEME } from '../console/contract/host.ts';

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
};

/** What `protocol.registerSchemesAsPrivileged` is given, before the app is ready. */
export const APP_SCHEME_PRIVILEGES = [{ scheme: APP_SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true } }];

/** A handler for `protocol.handle`. */
export function createAppProtocolHandler(
  rendererDir: string,
): (request: { readonly url: string; readonly method: string }) => Promise<Response> {
  return async ({ url, method }) => {
    if (method !== 'GET' && method !== 'HEAD') return refusal(405);
    const parsed = URL.parse(url);
    if (parsed === null || parsed.protocol !== `${APP_SCHEME}:` || parsed.host !== 'console') return refusal(404);
    const file = fileOf(rendererDir, parsed.pathname);
    const type = file === undefined ? undefined : TYPES[extname(file)];
    if (file === undefined || type === undefined) return refusal(404);
    try {
      const content = await readFile(file);
      return new Response(new Uint8Array(content), { headers: { ...SECURITY_HEADERS, 'content-type': type, 'cache-control': 'no-store' } });
    } catch {
      return refusal(404);
    }
  };
}

function fileOf(rendererDir: string, pathname: string): string | undefined {
  let path: string;
  try {
    path = decodeURIComponent(pathname);
  } catch {
    return undefined;
  }
  if (path.includes('\0')) return undefined;
  const file = normalize(join(rendererDir, path === '/' ? 'index.html' : path));
  return file.startsWith(normalize(rendererDir) + sep) ? file : undefined;
}

function refusal(status: number): Response {
  return new Response(null, { status, headers: SECURITY_HEADERS });
}
