/**
 * Who may talk to the browser host. Being on loopback is not enough: any page in the user's browser can send requests to
 * 127.0.0.1, and a name under someone else's control can be made to resolve to it (DNS rebinding).
 *
 * - Host must be one of this server's own names, Origin (where there is one) this server's own origin.
 * - A one-time token in the URL, printed in the terminal, is exchanged for a session cookie: HttpOnly, SameSite=Strict. Cookies know no
 *   ports, so its name carries the port.
 * - Tokens and sessions are kept as SHA-256 hashes and bounded in number: the oldest goes.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const MAX_TOKENS = 16;
const MAX_SESSIONS = 64;
const SECRET_BYTES = 32;

export type Refusal = 'host' | 'origin' | 'session';

export class AccessControl {
  readonly #port: number;
  readonly #tokens = new Set<string>();
  readonly #sessions = new Set<string>();

  constructor(port: number) {
    this.#port = port;
  }

  get cookieName(): string {
    return `samsa-${this.#port}`;
  }

  /** A new token, good for one exchange. */
  issueToken(): string {
    return issue(this.#tokens, MAX_TOKENS);
  }

  /** The value of a Set-Cookie header for a token that was good, once; else undefined. */
  exchangeToken(token: string): string | undefined {
    if (!this.#tokens.delete(hash(token))) return undefined;
    return `${this.cookieName}=${issue(this.#sessions, MAX_SESSIONS)}; Path=/; HttpOnly; SameSite=Strict`;
  }

  /** Why the address or the origin of a request is refused. An upgrade must have an Origin: only browsers make them, and they send it. */
  addressRefusal(request: IncomingMessage, isUpgrade: boolean): Refusal | undefined {
    const host = request.headers.host?.toLowerCase();
    const hosts = [`127.0.0.1:${this.#port}`, `localhost:${this.#port}`, `[::1]:${this.#port}`];
    if (host === undefined || !hosts.includes(host)) return 'host';
    const origin = request.headers.origin;
    if (origin === undefined ? isUpgrade : origin !== `http://${host}`) return 'origin';
    const site = request.headers['sec-fetch-site'];
    // A link from another page may open the console (a navigation without a session ends at the refusal page); nothing else crosses sites.
    if (site === 'cross-site' && request.headers['sec-fetch-mode'] !== 'navigate') return 'origin';
    return undefined;
  }

  hasSession(request: IncomingMessage): boolean {
    const value = cookieValue(request.headers.cookie, this.cookieName);
    return value !== undefined && this.#sessions.has(hash(value));
  }
}

function issue(into: Set<string>, max: number): string {
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  into.add(hash(secret));
  for (const oldest of into) {
    if (into.size <= max) break;
    into.delete(oldest);
  }
  return secret;
}

/** Looking a hash up tells an attacker's clock nothing about the secret. */
function hash(secret: string): string {
  return createHash('sha256').update(secret).digest('base64');
}

function cookieValue(header: string | undefined, name: string): string | undefined {
  for (const part of header?.split(';') ?? []) {
    const equals = part.indexOf('=');
    if (equals > 0 && part.slice(0, equals).trim() === name) return part.slice(equals + 1).trim();
  }
  return undefined;
}
