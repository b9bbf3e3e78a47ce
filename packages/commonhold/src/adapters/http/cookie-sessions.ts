import type { IncomingMessage, ServerResponse } from 'node:http';
import { checkOptionNames, type OptionNames } from '../../option-names.js';
import type { SessionDevice } from '../../session/session-device.js';
import type { Sessions } from '../../session/session.js';
import { checkDevice, openRequestSession, type RequestSession } from './request-session.js';
import { nodeHeaders } from './response-headers.js';
import { SessionCookie, type SessionCookieOptions } from './session-cookie.js';
import { cameOverTls, TrustedProxies } from './trusted-proxies.js';

/** Options of `cookieSessions`. */
export interface CookieSessionsOptions {
  readonly cookie?: SessionCookieOptions;
  /** Proxies whose `X-Forwarded-Proto` decides whether the cookie is Secure: addresses and CIDR ranges. Default none. */
  readonly trustedProxies?: readonly string[];
  /** What a login says of the device it comes from, for the user's list. Default its User-Agent; not its address. */
  readonly device?: (request: IncomingMessage) => SessionDevice | undefined;
}

/**
 * The session of a request, read at the first call and the same object at every further one. Without a response, as for an
 * upgrade to a WebSocket, it can be read and ended, but not begun or renewed. Rejects with `Unavailable` when the store is
 * away and the session is not known here: answer 503 then, such as with `storeProblem`, and never go on as if nobody were
 * logged in.
 */
export type OpenSession<Data extends object> = (
  request: IncomingMessage,
  response?: ServerResponse,
) => Promise<RequestSession<Data>>;

const optionNames = { cookie: true, trustedProxies: true, device: true } satisfies OptionNames<CookieSessionsOptions>;

/**
 * Sessions in a cookie, for Node's own HTTP and HTTPS servers.
 * @throws InvalidArgumentError naming the option that is wrong.
 */
export function cookieSessions<Data extends object>(
  sessions: Sessions<Data>,
  options: CookieSessionsOptions = {},
): OpenSession<Data> {
  checkOptionNames('cookieSessions', options, optionNames);
  const cookie = new SessionCookie(options.cookie);
  const proxies = new TrustedProxies(options.trustedProxies);
  const deviceOf = checkDevice(options.device) ?? ((request) => ({ userAgent: request.headers['user-agent'] }));
  const opened = new WeakMap<IncomingMessage, Promise<RequestSession<Data>>>();

  function open(request: IncomingMessage, response?: ServerResponse): Promise<RequestSession<Data>> {
    const headers = nodeHeaders(response);
    const overTls = cameOverTls(request, proxies);
    return openRequestSession(sessions, cookie.read(request.headers.cookie, overTls), {
      isOpen: () => !headers.isSent(),
      put: (token) => cookie.put(token, headers, overTls),
      clear: () => cookie.clear(headers, overTls),
      device: () => deviceOf(request),
    });
  }

  return (request, response) => {
    const known = opened.get(request);
    if (known !== undefined) return known;
    const session = open(request, response);
    opened.set(request, session);
    // A store that was away may be back at the next call.
    session.catch(() => opened.delete(request));
    return session;
  };
}
