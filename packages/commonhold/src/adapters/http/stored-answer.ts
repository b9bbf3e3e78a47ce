import { isUtf8 } from 'node:buffer';
import { InvalidArgumentError } from '../../errors.js';

/** An answer as it is kept, to be given again. */
export interface StoredAnswer {
  readonly status: number;
  /** In lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** Text where the bytes are UTF-8, so that it can be read in the store. */
  readonly body: string | Uint8Array;
  /** The body was too large to be kept, or was sent where nobody could see it. */
  readonly omitted?: true;
}

/** What can be told of a header that was set. */
type HeaderValue = number | string | readonly string[] | undefined;

/** What says what the body is and where things are. No `Set-Cookie`: a secret is kept only where it is asked for. */
const standardHeaders = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'etag',
  'last-modified',
  'link',
  'location',
  'vary',
];
/** Of the connection and the moment, not of the answer. */
const passingHeaders: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Names of the headers to keep, in lower case. @throws InvalidArgumentError for what is no header of an answer's own. */
export function keptHeaderNames(more: readonly string[], where: string): readonly string[] {
  const names = more.map((name) => {
    if (typeof name === 'string' && /^[\w!#$%&'*+.^`|~-]+$/.test(name) && !passingHeaders.has(name.toLowerCase())) {
      return name.toLowerCase();
    }
    throw new InvalidArgumentError(where, 'names of headers that belong to the answer, not to the connection', name);
  });
  return [...new Set([...standardHeaders, ...names])];
}

/** An answer to keep; without `body` it says that there was one. */
export function answerToStore(
  status: number,
  names: readonly string[],
  headerOf: (name: string) => HeaderValue,
  body: Buffer | undefined,
): StoredAnswer {
  const headers: Record<string, string | readonly string[]> = {};
  for (const name of names) {
    const value = headerOf(name);
    if (value !== undefined) headers[name] = typeof value === 'number' ? String(value) : value;
  }
  if (body === undefined) return { status, headers, body: '', omitted: true };
  return { status, headers, body: isUtf8(body) ? body.toString() : body };
}

/** The header that says that an answer was given before. */
export const replayHeader = 'Idempotent-Replayed';

/** The bytes of a kept body. */
export function bodyBytes({ body }: StoredAnswer): Buffer {
  return Buffer.from(body as string);
}
