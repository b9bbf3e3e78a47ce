import { type ProblemDocument, problemDocument, type ProblemExtra as DocumentExtra } from 'commonhold/http';

export type { ProblemDocument };

/** What an answer may say beyond status and detail (RFC 9457). */
export interface ProblemExtra extends DocumentExtra {
  /** Headers of the answer, such as `Retry-After`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** An error that answers the request: thrown in a handler, it reaches the client as `application/problem+json`. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly document: ProblemDocument;

  /** Use {@link problem}. */
  constructor(status: number, detail: string, extra: ProblemExtra) {
    super(detail);
    this.statusCode = status;
    this.headers = extra.headers ?? {};
    this.document = problemDocument(status, detail, extra);
  }
}

/**
 * An error to throw in a handler.
 *
 * @param status 400 to 599.
 * @param detail one or two sentences for whoever reads the answer: what is wrong with this request. No secrets.
 * @throws RangeError for another status.
 */
export function problem(status: number, detail: string, extra: ProblemExtra = {}): Problem {
  if (Number.isInteger(status) && status >= 400 && status <= 599) return new Problem(status, detail, extra);
  throw new RangeError(`problem: expected a status from 400 to 599, received ${status}`);
}
