import { type Duration, durationMs } from '../../duration.js';
import { type Environment, variable } from '../../environment.js';
import { InvalidArgumentError } from '../../errors.js';
import { checkOptionNames, type OptionNames } from '../../option-names.js';
import type { ResponseHeaders } from './response-headers.js';

/** How the cookie looks that carries a session's token. It is always HttpOnly. */
export interface SessionCookieOptions {
  /**
   * Default `__Host-session` where the cookie is Secure and has the path `/` and no domain: browsers keep other hosts of
   * the domain from setting that. Otherwise `session`.
   */
  readonly name?: string;
  /** Which requests from other sites carry it. Default `lax`: links do, forms and scripts do not. `none` needs `secure`. */
  readonly sameSite?: 'strict' | 'lax' | 'none';
  /**
   * Whether browsers may send it over TLS only. `auto`: where the request came over TLS, to this server or to a trusted
   * proxy. Default `auto`, and always true where the name or `sameSite` needs it. With `NODE_ENV=production` there is no
   * default: a server whose cookies cross the network in the clear should have been asked for.
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
const plainName = 'session';
const hostName = '__Host-session';
const token = /^[0-9a-f]{64}$/;
/** Cookies of one name that are looked at: a browser sends several where they were set for several paths or domains. */
const mostCookies = 4;

/** Reads and writes the cookie of one use of sessions. */
export class SessionCookie {
  readonly #names: { readonly secure: string; readonly plain: string };
  readonly #secure: boolean | 'auto';
  readonly #attributes: string;
  readonly #maxAge: string;

  /** @throws InvalidArgumentError naming the option that a browser would not take, or not keep safe, or that is missing. */
  constructor(options: SessionCookieOptions = {}, environment: Environment = process.env) {
    checkOptionNames('session cookie', options, optionNames);
    const { name, sameSite = 'lax', secure = 'auto', path = '/', domain, maxAge } = options;
    check(
      'name',
      name === undefined || /^[\w!#$%&'*+\-.^`|~]{1,128}$/.test(name),
      '1 to 128 characters of an HTTP token',
      name,
    );
    check('sameSite', Object.hasOwn(sameSites, sameSite), '"strict", "lax" or "none"', sameSite);
    check('secure', typeof secure === 'boolean' || secure === 'auto', 'true, false or "auto"', secure);
    check('path', /^\/[ -:<-~]*$/.test(path), 'a path that begins with "/"', path);
    check('domain', domain === undefined || /^[A-Za-z0-9.-]+$/.test(domain), 'a domain name', domain);
    const isOfHost = path === '/' && domain === undefined;
    check('name', isOfHost || !/^__host-/i.test(name ?? ''), 'path "/" and no domain with __Host-', name);
    const needsTls = /^__(?:host|secure)-/i.test(name ?? '') || sameSite === 'none';
    check('secure', !needsTls || secure !== false, 'true or "auto" with this name or sameSite', secure);
    const isSaid = needsTls || options.secure !== undefined || variable(environment, 'NODE_ENV') !== 'production';
    check('secure', isSaid, 'true in production, or "auto" or false where that is meant', options.secure);
    this.#names = { secure: name ?? (isOfHost ? hostName : plainName), plain: name ?? plainName };
    this.#secure = needsTls ? true : secure;
    const scope = domain === undefined ? `; Path=${path}` : `; Domain=${domain}; Path=${path}`;
    this.#attributes = `${scope}; HttpOnly; SameSite=${sameSites[sameSite]}`;
    const seconds = maxAge === undefined ? undefined : Math.ceil(durationMs(maxAge, 'session cookie, maxAge') / 1_000);
    this.#maxAge = seconds === undefined ? '' : `; Max-Age=${seconds}`;
  }

  /** The tokens in a Cookie header, in its order, each once: several where the browser holds several such cookies. */
  read(header: string | undefined, overTls: boolean): { readonly sent: boolean; readonly tokens: readonly string[] } {
    const start = `${this.#name(overTls)}=`;
    // Other white space belongs to the name: browsers take `\u00a0__Host-session` from any host of the domain.
    const cookies = (header ?? '').split(';').map((cookie) => cookie.replace(/^[ \t]+/, ''));
    const values = cookies.filter((cookie) => cookie.startsWith(start)).map((cookie) => cookie.slice(start.length));
    const tokens = [...new Set(values.filter((value) => token.test(value)))];
    return { sent: values.length > 0, tokens: tokens.slice(0, mostCookies) };
  }

  /** Has an answer carry `value`. */
  put(value: string, headers: ResponseHeaders, overTls: boolean): void {
    this.#write(`${value}${this.#attributes}${this.#maxAge}`, headers, overTls);
  }

  /** Has an answer remove the cookie. */
  clear(headers: ResponseHeaders, overTls: boolean): void {
    const past = '; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT';
    this.#write(`${this.#attributes}${past}`, headers, overTls);
  }

  #isSecure(overTls: boolean): boolean {
    return this.#secure === 'auto' ? overTls : this.#secure;
  }

  #name(overTls: boolean): string {
    return this.#isSecure(overTls) ? this.#names.secure : this.#names.plain;
  }

  // Of several cookies of one name in one answer a browser may keep any.
  #write(value: string, headers: ResponseHeaders, overTls: boolean): void {
    if (headers.isSent()) return;
    const name = this.#name(overTls);
    const cookie = `${name}=${value}`;
    const set = [headers.get('set-cookie') ?? []].flat().map(String);
    const others = set.filter((other) => !other.startsWith(`${name}=`));
    headers.set('set-cookie', [...others, this.#isSecure(overTls) ? `${cookie}; Secure` : cookie]);
    // A cache that kept this answer would hand the session to others.
    if (headers.get('cache-control') === undefined) headers.set('cache-control', 'no-store');
  }
}

function check(option: string, isRight: boolean, expected: string, received: unknown): void {
  if (!isRight) throw new InvalidArgumentError(`session cookie, ${option}`, expected, received);
}
