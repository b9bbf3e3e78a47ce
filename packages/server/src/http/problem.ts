import { STATUS_CODES } from 'node:http';

/** What an `application/problem+json` answer may say beyond status and detail (RFC 9457). */
export interface ProblemExtra {
  /** A URI that names the kind of problem. Default `about:blank`: the status says it all. */
  readonly type?: string;
  /** What all problems of this type have in common. Default the phrase of the status, such as `Not Found`. */
  readonly title?: string;
  /** Headers of the answer, such as `Retry-After`. */
  readonly headers?: Readonly<Record<string, string>>;
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

/** An error that answers the request: thrown in a handler, it reaches the client as `application/problem+json`. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly document: ProblemDocument;

  /** Use {@link problem}. */
  constructor(status: number, detail: string, extra: ProblemExtra) {
    super(detail);
    const { type = 'about:blank', title = STATUS_CODES[status] ?? 'Error' } = extra;
    const { type: _type, title: _title, status: _status, detail: _detail, ...members } = extra.members ?? {};
    this.statusCode = status;
    this.headers = extra.headers ?? {};
    this.document = { type, title, status, detail, ...members };
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
