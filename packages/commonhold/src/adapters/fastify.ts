import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { InvalidArgumentError } from '../errors.js';
import { checkOptionNames } from '../option-names.js';
import type { Duration } from '../duration.js';
import type { SessionDevice } from '../session/session-device.js';
import type { Sessions } from '../session/session.js';
import { replyHeaders, replyProblem } from './fastify/reply-headers.js';
import { storeProblem } from './http/problem.js';
import { checkWithin, freshProblem } from './http/fresh.js';
import { checkDevice, openRequestSession, type RequestSession } from './http/request-session.js';
import { SessionCookie, type SessionCookieOptions } from './http/session-cookie.js';

export {
  type ClientOptions,
  limitConcurrency,
  type LimitConcurrencyOptions,
  type LimitRequest,
  limitRequests,
  type LimitRequestsOptions,
} from './fastify/limit-requests.js';
export {
  idempotentRequests,
  type IdempotentRequestsOptions,
  type IdempotentRequestsPlugin,
  idempotentRun,
} from './fastify/idempotent-requests.js';
export type { IdempotentRun } from './http/answer-run.js';
export type { IdempotencyOptions, KeyedMethod } from './http/idempotency.js';
export type { RequestCost, RequestLimit } from './http/request-limit.js';
export type { SlotWait } from './http/slot-admission.js';
export { clientNetwork } from './http/client-network.js';
export type { RequestSession } from './http/request-session.js';
export type { SessionCookieOptions } from './http/session-cookie.js';

/**
 * The fields of `request.session`, for an application to declare once:
 * `declare module 'commonhold/fastify' { interface SessionData { cart: string[] } }`. While it is empty, any field may hold
 * anything. An application with several kinds of sessions uses {@link sessionOf} instead.
 */
export interface SessionData {}

/** What {@link SessionData} says, or anything where it says nothing. */
export type RequestSessionData = keyof SessionData extends never ? Record<string, unknown> : SessionData;

declare module 'fastify' {
  interface FastifyRequest {
    /** The session of this request, where `cookieSessions` is registered. */
    readonly session: RequestSession<RequestSessionData>;
  }
}

/** Options of `cookieSessions`. */
export interface CookieSessionsOptions<Data extends object> {
  readonly sessions: Sessions<Data>;
  readonly cookie?: SessionCookieOptions;
  /** What a login says of the device it comes from, for the user's list. Default its User-Agent; not its address. */
  readonly device?: (request: FastifyRequest) => SessionDevice | undefined;
}

/** A Fastify plugin. */
export type CookieSessionsPlugin = <Data extends object>(
  app: FastifyInstance,
  options: CookieSessionsOptions<Data>,
) => Promise<void>;

/** Beside ours, what Fastify takes with any plugin. */
const optionNames = {
  sessions: true,
  cookie: true,
  device: true,
  prefix: true,
  logLevel: true,
  logSerializers: true,
} as const;

interface Opened {
  readonly sessions: object;
  readonly session: object;
}

const opened = new WeakMap<FastifyRequest, Opened>();

async function addCookieSessions<Data extends object>(
  app: FastifyInstance,
  options: CookieSessionsOptions<Data>,
): Promise<void> {
  checkOptionNames('cookieSessions', options, optionNames);
  const { sessions } = options;
  if (typeof sessions?.read !== 'function') {
    throw new InvalidArgumentError('cookieSessions, sessions', 'what state.sessions() returns', sessions);
  }
  const cookie = new SessionCookie(options.cookie);
  const deviceOf = checkDevice(options.device) ?? ((request) => ({ userAgent: request.headers['user-agent'] }));
  app.decorateRequest('session', {
    getter() {
      return find(this).session as RequestSession<RequestSessionData>;
    },
  });
  // What a hook resolves with is waited for: a reply, until it is sent, so that the handler does not run as well.
  app.addHook('onRequest', (request, reply) =>
    open(sessions, cookie, deviceOf, request, reply).then(
      (session) => void opened.set(request, { sessions, session }),
      (error: unknown) => answerStoreErrors(error, request, reply),
    ),
  );
}

/**
 * Sessions in a cookie: reads the session of each request before its handler and has it as `request.session`. It holds for
 * the routes of the scope that it is registered in, and those within. While the store is away, requests whose session
 * cookie names one that is not known here are answered 503; those that carry none go on, with no session.
 */
export const cookieSessions: CookieSessionsPlugin = Object.assign(addCookieSessions, {
  // What fastify-plugin would do: the plugin adds to the scope that registers it, not to one of its own.
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'commonhold',
  [Symbol.for('plugin-meta')]: { name: 'commonhold', fastify: '5.x' },
});

/**
 * An error handler, for `app.setErrorHandler`: answers 503 as `application/problem+json` where the store was away in a
 * handler, 409 where a user has too many sessions for one more, and leaves every other error to the error handler around it.
 */
export function answerStoreErrors(error: unknown, _request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = storeProblem(error);
  if (problem === undefined) throw error;
  return replyProblem(reply, problem);
}

/**
 * A hook for routes that ask for a user who proved who they are within the last `within`, such as before a change of
 * password: `{ onRequest: requireFresh('10m') }`. It answers 401 to nobody, and 403 as `freshProblem` has it to a user who
 * must log in again; then call `session.login(session.user)` once they have.
 *
 * @throws InvalidArgumentError for what is no duration.
 */
export function requireFresh(within: Duration): RequireFresh {
  checkWithin(within);
  return async (request, reply) => {
    const problem = freshProblem(find(request).session as RequestSession<object>, within);
    return problem === undefined ? undefined : replyProblem(reply, problem);
  };
}

/** A hook, for `onRequest` or `preHandler`. */
export type RequireFresh = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined>;

/**
 * The session of `request` with the type of `sessions`, which must be those that this request's scope was registered with.
 * @throws InvalidArgumentError when they are not.
 */
export function sessionOf<Data extends object>(
  request: FastifyRequest,
  sessions: Sessions<Data>,
): RequestSession<Data> {
  const found = find(request);
  if (found.sessions === sessions) return found.session as RequestSession<Data>;
  throw new InvalidArgumentError('sessionOf', "the sessions that this route's scope was registered with", sessions);
}

function find(request: FastifyRequest): Opened {
  const found = opened.get(request);
  if (found !== undefined) return found;
  throw new InvalidArgumentError('request.session', 'a request whose session was read', 'one before that, or outside');
}

function open<Data extends object>(
  sessions: Sessions<Data>,
  cookie: SessionCookie,
  deviceOf: (request: FastifyRequest) => SessionDevice | undefined,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<RequestSession<Data>> {
  const headers = replyHeaders(reply);
  // A proxy's word, in whatever case.
  const overTls = /^https$/i.test(request.protocol);
  return openRequestSession(sessions, cookie.read(request.headers.cookie, overTls), {
    isOpen: () => !headers.isSent(),
    put: (token) => cookie.put(token, headers, overTls),
    clear: () => cookie.clear(headers, overTls),
    device: () => deviceOf(request),
  });
}
