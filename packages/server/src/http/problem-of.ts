import { type ErrorCode, isCommonholdError } from 'commonhold';
import { Problem, problem } from './problem.js';

/** For each of the library's codes what a client is told; undefined for what is no client's fault. */
const libraryProblems: Readonly<Record<ErrorCode, ((error: Error) => Problem) | undefined>> = {
  Unavailable: () => away('The store cannot be reached, and nothing was done. Try again later.'),
  OutcomeUnknown: () => away('The store did not answer; this may have been done or not. Look before trying again.'),
  Overloaded: () => away('The store is full, and nothing was done. Try again later.'),
  Closed: () => stopping(),
  InvalidArgument: ({ message }) => problem(422, message),
  ValueTooLarge: ({ message }) => problem(413, message),
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
  if (isCommonholdError(error)) return libraryProblems[error.code]?.(error);
  if (!(error instanceof Error)) return undefined;
  return problemOfFramework(error);
}

/** The answer of a server that is going away to a request that came too late. */
export function stopping(): Problem {
  return away('This server is stopping. Try again: another one, or the next, will answer.');
}

function away(detail: string): Problem {
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
