export { type CookieSessionsOptions, cookieSessions, type OpenSession } from './http/cookie-sessions.js';
export {
  type ClientOptions,
  limitConcurrency,
  type LimitConcurrencyOptions,
  type LimitRequest,
  limitRequests,
  type LimitRequestsOptions,
} from './http/limit-requests.js';
export type { IdempotentRun } from './http/answer-run.js';
export type { IdempotencyOptions, KeyedMethod } from './http/idempotency.js';
export {
  idempotentRequests,
  type IdempotentRequests,
  type IdempotentRequestsOptions,
} from './http/idempotent-requests.js';
export type { RequestCost, RequestLimit } from './http/request-limit.js';
export type { SlotWait } from './http/slot-admission.js';
export { freshProblem } from './http/fresh.js';
export type { RequestSession } from './http/request-session.js';
export type { SessionCookieOptions } from './http/session-cookie.js';
export { clientAddress, TrustedProxies } from './http/trusted-proxies.js';
export { clientNetwork } from './http/client-network.js';
export {
  type Problem,
  type ProblemDocument,
  type ProblemExtra,
  problemDocument,
  sendProblem,
  storeProblem,
} from './http/problem.js';
