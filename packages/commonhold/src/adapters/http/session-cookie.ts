import { type Duration, durationMs } from '../../duration.js';
import { InvalidArgumentError } from '../../errors.js';
import { checkOptionNames, type OptionNames } from '../../option-names.js';
import type { ResponseHeaders } from './response-headers.js';

/** How the cookie looks that carries a session's token. It is always HttpOnly. */
export interface SessionCookieOptions {
  /**
   * Default `session`. With TLS everywhere prefer `__Host-session`: browsers then keep other hosts of the domain from
   * setting it. It needs `secure`, the path `/` and no domain.
   */
  readonly name?: string;
  /** Which requests from other sites carry it. Default `lax`: links do, forms and scripts do not. `none` needs `secure`. */
  readonly sameSite?: 'strict' | 'lax' | 'none';
  /**
   * Whether browsers may send it over TLS only. Default `auto`: where the request came over TLS, to this server or to a
   * trusted proxy, and always where the name or `sameSite` needs it.
   */
  readonly secure?: boolean | 'auto';
  /** Default `/`. */
  readonly path?: string;
  /** Default none: this host alone, without its subdomains. */
  readonly domain?: string;
  /**
   * How long the browser keeps it, from a login or the session's beginning on; give it the `absolute` lifetime of the
   * sessions to keep people logged in when they close the browser. Default: until the browser ends. The session ends by
   * its own lifetimes in both cases.
   */
  readonly maxAge?: Duration;
}

const optionNames = {
  name: true,
  sameSite: true,
  secure: true,
  path: true,
  domain: true,
  maxAge: true,
} satisfies OptionNames<SessionCookieOptions>;

const sameSites = { strict: 'Strict', lax: 'Lax', none: 'None' } as const;
const token = /^[0-9a-f]{64}$/;
/** Cookies of one name that are looked at: a browser sends several where they were set for several paths or domains. */
const mostCookies = 4;

/** Reads and writes the cookie of one use of sessions. */
export class SessionCookie {
  readonly #name: string;
  readonly #secure: boolean | 'auto';
  readonly #attributes: string;
  readonly #maxAge: string;

  /** @throws InvalidArgumentError naming the option that a browser would not take, or not keep safe. */
  constructor(options: SessionCookieOptions = {}) {
    checkOptionNames('session cookie', options, optionNames);
    const { name = 'session', sameSite = 'lax', secure = 'auto', path = '/', domain, maxAge } = options;
    check('name', /^[\w!#$%&'*+\-.^`|~]{1,128}$/.test(name), '1 to 128 characters of an HTTP token', name);
    check('sameSite', Object.hasOwn(sameSites, sameSite), '"strict", "lax" or "none"', sameSite);
    check('secure', typeof secure === 'boolean' || secure === 'auto', 'true, false or "auto"', secure);
    check('path', /^\/[ -:<-~]*$/.test(path), 'a path that begins with "/"', path);
    check('domain', domain === undefined || /^[A-Za-z0-9.-]+$/.test(domain), 'a domain name', domain);
    const isHost = /^__host-/i.test(name);
    check('name', !isHost || (path === '/' && domain === undefined), 'path "/" and no domain with __Host-', name);
    const needsTls = /^__(?:host|secure)-/i.test(name) || sameSite === 'none';
    check('secure', !needsTls || secure !== false, 'true or "auto" with this name or sameSite', secure);
    this.#name = name;
    this.#secure = needsTls ? true : secure;
    const scope = domain === undefined ? `; Path=${path}` : `; Domain=${domain}; Path=${path}`;
    this.#attributes = `${scope}; HttpOnly; SameSite=${sameSites[sameSite]}`;
    const seconds = maxAge === undefined ? undefined : Math.ceil(durationMs(maxAge, 'session cookie, maxAge') / 1_000);
    this.#maxAge = seconds === undefined ? '' : `; Max-Age=${seconds}`;
  }

  /** The tokens in a Cookie header, in its order, each once: several where the browser holds several such cookies. */
  read(header: string | undefined): { readonly sent: boolean; readonly tokens: readonly string[] } {
    const start = `${this.#name}=`;
    // Other white space belongs to the name: browsers take `\u00a0__Host-session` from any host of the domain.
    const cookies = (header ?? '').split(';').map((cookie) => cookie.replace(/^[ \t]+/, ''));
    const values = cookies.filter((cookie) => cookie.startsWith(start)).map((cookie) => cookie.slice(start.length));
    const tokens = [...new Set(values.filter((value) => token.test(value)))];
    return { sent: values.length > 0, tokens: tokens.slice(0, mostCookies) };
  }

  /** Has an answer carry `value`. */
  put(value: string, headers: ResponseHeaders, overTls: boolean): void {
    this.#write(`${this.#name}=${value}${this.#attributes}${this.#maxAge}`, headers, overTls);
  }

  /** Has an answer remove the cookie. */
  clear(headers: ResponseHeaders, overTls: boolean): void {
    const past = '; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT';
    this.#write(`${this.#name}=${this.#attributes}${past}`, headers, overTls);
  }

  // Of several cookies of one name in one answer a browser may keep any.
  #write(cookie: string, headers: ResponseHeaders, overTls: boolean): void {
    if (headers.isSent()) return;
    const set = [headers.get('set-cookie') ?? []].flat().map(String);
    const others = set.filter((other) => !other.startsWith(`${this.#name}=`));
    const isSecure = this.#secure === 'auto' ? overTls : this.#secure;
    headers.set('set-cookie', [...others, isSecure ? `${cookie}; Secure` : cookie]);
    // A cache that kept this answer would hand the session to others.
    if (headers.get('cache-control') === undefined) headers.set('cache-control', 'no-store');
  }
}

function check(option: string, isRight: boolean, expected: string, received: unknown): void {
  if (!isRight) throw new InvalidArgumentError(`session cookie, ${option}`, expected, received);
}
