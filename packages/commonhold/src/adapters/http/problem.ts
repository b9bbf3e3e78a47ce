import { type ServerResponse, STATUS_CODES } from 'node:http';
import { isCommonholdError } from '../../errors.js';

/** What an `application/problem+json` answer may say beyond status and detail (RFC 9457). */
export interface ProblemExtra {
  /** A URI that names the kind of problem. Default `about:blank`: the status says it all. */
  readonly type?: string;
  /** What all problems of this type have in common. Default the phrase of the status, such as `Not Found`. */
  readonly title?: string;
  /** Further members of the document. They cannot replace the four standard ones. */
  readonly members?: Readonly<Record<string, unknown>>;
}

/** The document that a client gets. */
export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly [member: string]: unknown;
}

/** An answer that says what went wrong. */
export interface Problem {
  readonly document: ProblemDocument;
  /** Such as `Retry-After`. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The document of a problem; `detail` is one or two sentences for whoever reads the answer. */
export function problemDocument(status: number, detail: string, extra: ProblemExtra = {}): ProblemDocument {
  const { type = 'about:blank', title = STATUS_CODES[status] ?? 'Error' } = extra;
  const { type: _type, title: _title, status: _status, detail: _detail, ...members } = extra.members ?? {};
  return { type, title, status, detail, ...members };
}

const details: Readonly<Record<string, string>> = {
  Unavailable: 'The store cannot be reached, and nothing was done. Try again later.',
  OutcomeUnknown: 'The store did not answer; this may have been done or not. Look before trying again.',
  Overloaded: 'The store is full, and nothing was done. Try again later.',
  Closed: 'This server is stopping. Try again: another one, or the next, will answer.',
};

/**
 * The 503 to answer with when the store is away, full or closed, and the 409 when a user has too many sessions for one
 * more; undefined for every other error.
 */
export function storeProblem(error: unknown): Problem | undefined {
  if (isCommonholdError(error) && error.code === 'SessionLimit') {
    return { document: problemDocument(409, 'This user has as many sessions as may be. End one first.'), headers: {} };
  }
  const detail = isCommonholdError(error) ? details[error.code] : undefined;
  return detail === undefined ? undefined : { document: problemDocument(503, detail), headers: { 'Retry-After': '1' } };
}

/** Headers and body of a problem's answer. */
export function problemAnswer({ document, headers }: Problem): { headers: Record<string, string>; body: Buffer } {
  const kind = { 'Content-Type': 'application/problem+json', 'X-Content-Type-Options': 'nosniff' };
  return { headers: { ...kind, ...headers }, body: Buffer.from(JSON.stringify(document)) };
}

/** Answers with `problem`. Where an answer has begun, it is cut off: nothing else tells the client that it is not whole. */
export function sendProblem(response: ServerResponse, problem: Problem): void {
  if (response.headersSent) return void response.destroy();
  const { headers, body } = problemAnswer(problem);
  response.writeHead(problem.document.status, { ...headers, 'Content-Length': String(body.length) });
  response.end(body);
}
