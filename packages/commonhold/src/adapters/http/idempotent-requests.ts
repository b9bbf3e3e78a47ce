import type { IncomingMessage, ServerResponse } from 'node:http';
import { wholeNumber } from '../../codec/limits.js';
import { InvalidArgumentError } from '../../errors.js';
import type { SharedState } from '../../shared-state.js';
import { type HeldAnswer, type HeldResponse, holdResponse } from './held-answer.js';
import type { AnswerRun, IdempotentRun } from './answer-run.js';
import { Idempotency, type IdempotencyOptions } from './idempotency.js';
import { problemDocument, sendProblem } from './problem.js';
import { peekBody } from './request-body.js';
import { bodyBytes, replayHeader, type StoredAnswer } from './stored-answer.js';

/** Options of `idempotentRequests`. */
export interface IdempotentRequestsOptions extends IdempotencyOptions<IncomingMessage> {
  /** Bytes of a request's body that are read to hash it, at most; a longer one is answered 413. Default 1 MiB. */
  readonly maxBodyBytes?: number;
}

/**
 * Serves a request by `handle`, or by the answer that was kept. Resolves when `handle` has, and rejects with what it rejects
 * with: answer that as you do without. `handle` gets the run where the request has a key.
 */
export type IdempotentRequests = (
  request: IncomingMessage,
  response: ServerResponse,
  handle: (run: IdempotentRun | undefined) => unknown,
) => Promise<void>;

const mostBodyBytes = 64 * 1024 * 1024;

/**
 * Runs requests that carry the same `Idempotency-Key` once, over all processes, for Node's own HTTP and HTTPS servers. The
 * others get the kept answer with `Idempotent-Replayed: true`; 409 with `Retry-After` while the first runs; 422 when they
 * are for another method, path or body; and any request with a key 503 while the store is away. All problems are
 * `application/problem+json`.
 *
 * An answer is held back until it is kept. The body is read before `handle` is called, which finds it as if nobody had;
 * give `fingerprint` where it must not be, such as for large uploads. Give `handle` that returns a promise: a request whose
 * client is gone is over when `handle` has ended without an answer.
 * @throws InvalidArgumentError naming the option that is wrong.
 */
export function idempotentRequests(state: SharedState, options: IdempotentRequestsOptions): IdempotentRequests {
  const { maxBodyBytes, ...shared } = options;
  const idempotency = new Idempotency<IncomingMessage>('idempotentRequests', state, shared);
  const mostBytes = wholeNumber('idempotentRequests, maxBodyBytes', maxBodyBytes, 1024 * 1024, 0, mostBodyBytes);
  return async (request, response, handle) => {
    const key = idempotency.keyOf(request.method, request.headers['idempotency-key']);
    if (key === undefined) return void (await handle(undefined));
    if (typeof key !== 'string') return sendProblem(response, key);
    const body = await fingerprintOf(request, idempotency, mostBytes);
    if (body === 'gone') return;
    if (body === 'too large') return refuseBody(response, mostBytes);
    const { method = '', url: path = '' } = request;
    const admission = await idempotency.begin(request, key, { method, path, body: body.bytes });
    if (admission.kind === 'problem') return sendProblem(response, admission.problem);
    if (admission.kind === 'replay') return replay(response, admission.answer);
    await serve(response, admission.run, idempotency.maxAnswerBytes, handle);
  };
}

async function fingerprintOf(
  request: IncomingMessage,
  { fingerprint }: Idempotency<IncomingMessage>,
  mostBytes: number,
): Promise<{ readonly bytes: string | Uint8Array } | 'too large' | 'gone'> {
  if (fingerprint !== undefined) return { bytes: await fingerprint(request) };
  const body = await peekBody(request, mostBytes);
  if (Buffer.isBuffer(body)) return { bytes: body };
  if (body !== 'already read') return body;
  const expected = 'a request whose body nobody has read yet, or the option fingerprint';
  throw new InvalidArgumentError('idempotentRequests', expected, 'one that was read');
}

async function serve(
  response: ServerResponse,
  run: AnswerRun,
  mostBytes: number,
  handle: (run: IdempotentRun) => unknown,
): Promise<void> {
  const held = holdResponse(response, mostBytes);
  held.answer
    .then((answer) => settle(response, run, held, answer))
    // Such as from the application's own `keep`: the client must not wait for ever.
    .catch(async (error: Error) => {
      response.destroy(error);
      await run.abandon();
    });
  try {
    await handle(run);
  } finally {
    held.handled();
  }
}

async function settle(
  response: ServerResponse,
  run: AnswerRun,
  held: HeldResponse,
  answer: HeldAnswer | undefined,
): Promise<void> {
  if (answer === undefined) return run.abandon();
  const other = await run.settle(answer.status, (name) => response.getHeader(name), answer.body);
  if (answer.body === undefined) return;
  if (other === undefined) return held.release();
  response.removeHeader('Content-Length');
  setAnswer(response, other);
  held.release(bodyBytes(other));
}

function replay(response: ServerResponse, answer: StoredAnswer): void {
  setAnswer(response, answer);
  const body = bodyBytes(answer);
  if (body.length > 0) response.setHeader('Content-Length', String(body.length));
  response.end(body);
}

function setAnswer(response: ServerResponse, answer: StoredAnswer): void {
  response.statusCode = answer.status;
  for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
  response.setHeader(replayHeader, 'true');
}

function refuseBody(response: ServerResponse, mostBytes: number): void {
  const detail = `A request with an Idempotency-Key may have a body of ${mostBytes} bytes at most.`;
  sendProblem(response, { document: problemDocument(413, detail), headers: { Connection: 'close' } });
}
