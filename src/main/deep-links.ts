/** `samsa://open/PATH` opens the console at that place. A link comes from anywhere, so it only ever becomes a route of the page. */
import { APP_URL, DEEP_LINK_SCHEME } from '../console/contract/host.ts';

const MAX_LINK_CHARS = 1000;

/** The page's URL for a link; undefined for what isn't one of ours. */
export function pageUrlOfLink(link: string): string | undefined {
  if (link.length > MAX_LINK_CHARS) return undefined;
  const parsed = URL.parse(link);
  if (parsed === null || parsed.protocol !== `${DEEP_LINK_SCHEME}:` || parsed.host !== 'open') return undefined;
  if (!/^(\/[A-Za-z0-9._~%-]+)*\/?$/.test(parsed.pathname) || !/^(\?[A-Za-z0-9._~%&=,+-]*)?$/.test(parsed.search)) return undefined;
  return `${APP_URL}#${parsed.pathname === '' ? '/' : parsed.pathname}${parsed.search}`;
}

/** The first of our links among a process's arguments (how Windows and Linux hand one over). */
export function linkInArguments(argv: readonly string[]): string | undefined {
  return argv.find((argument) => argument.startsWith(`${DEEP_LINK_SCHEME}://`));
}
