import { type CommonholdError, type ErrorCode, isCommonholdError } from 'commonhold';
import { storeProblem } from 'commonhold/http';
import { Problem, problem } from './problem.js';

/** What the library has an answer to by itself. */
type StoreCode = 'Unavailable' | 'OutcomeUnknown' | 'Overloaded' | 'Closed' | 'SessionLimit';

/** For each of the library's other codes what a client is told; undefined for what is no client's fault. */
const libraryProblems: Readonly<Record<Exclude<ErrorCode, StoreCode>, ((error: Error) => Problem) | undefined>> = {
  InvalidArgument: ({ message }) => problem(422, message),
  ValueTooLarge: ({ message }) => problem(413, message),
  InvalidValue: ({ message }) => problem(422, message),
  LockTimeout: () => busy(),
  RunTimeout: () => busy(),
  ComputeTimeout: () => busy(),
  LeaseLost: () => busy(),
  StaleGuard: () => problem(409, 'Somebody else has been at work on this since. Look before trying again.'),
  QueuePaused: () => busy(),
  JobFailed: undefined,
  MissingDependency: undefined,
  UnknownForm: undefined,
  CorruptState: undefined,
};

/**
 * What a client is told when a handler fails with `error`; undefined when the failure is ours, which is a 500.
 * Nothing that a client sends may lead there: what the library refuses about its arguments is what the client sent.
 */
export function problemOf(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error;
  if (isCommonholdError(error)) return problemOfLibrary(error);
  if (!(error instanceof Error)) return undefined;
  return problemOfFramework(error);
}

function problemOfLibrary(error: CommonholdError): Problem | undefined {
  const away = storeProblem(error);
  if (away !== undefined) return problem(away.document.status, away.document.detail, { headers: away.headers });
  return libraryProblems[error.code as Exclude<ErrorCode, StoreCode>]?.(error);
}

function busy(): Problem {
  const detail = 'Somebody else is at work on this. Try again later.';
  return problem(503, detail, { headers: { 'Retry-After': '1' } });
}

/** The answer of a server that is going away to a request that came too late. */
export function stopping(): Problem {
  const detail = 'This server is stopping. Try again: another one, or the next, will answer.';
  return problem(503, detail, { headers: { 'Retry-After': '1' } });
}

/** What Fastify and its plugins set on their errors. */
interface FrameworkError extends Error {
  readonly code?: unknown;
  readonly statusCode?: unknown;
  readonly validationContext?: unknown;
}

/** Codes whose own status is not the one that our contract gives the case. */
const ownStatus: Readonly<Record<string, number>> = { FST_INVALID_MULTIPART_CONTENT_TYPE: 415 };

function problemOfFramework(error: FrameworkError): Problem | undefined {
  if (error.validationContext !== undefined)
    return problem(error.validationContext === 'body' ? 422 : 400, error.message);
  const status = ownStatus[String(error.code)] ?? error.statusCode;
  return typeof status === 'number' && status >= 400 && status < 500 ? problem(status, error.message) : undefined;
}
