import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { InvalidArgumentError } from '../../errors.js';
import type { SharedState } from '../../shared-state.js';
import type { AnswerRun, IdempotentRun } from '../http/answer-run.js';
import { Idempotency, type IdempotencyOptions } from '../http/idempotency.js';
import { bodyBytes, replayHeader, type StoredAnswer } from '../http/stored-answer.js';
import { collectPayload } from './collect-payload.js';
import { replyProblem } from './reply-headers.js';

/** Options of `idempotentRequests`. */
export interface IdempotentRequestsOptions extends IdempotencyOptions<FastifyRequest> {
  readonly state: SharedState;
}

/** A Fastify plugin. */
export type IdempotentRequestsPlugin = (app: FastifyInstance, options: IdempotentRequestsOptions) => Promise<void>;

const where = 'idempotentRequests';
const running = new WeakMap<FastifyRequest, AnswerRun>();

async function addIdempotentRequests(app: FastifyInstance, options: IdempotentRequestsOptions): Promise<void> {
  const { state, ...given } = options;
  const ours = Object.entries(given).filter(([name]) => !pluginOptions.has(name));
  const shared = Object.fromEntries(ours) as unknown as IdempotencyOptions<FastifyRequest>;
  const idempotency = new Idempotency<FastifyRequest>(where, state, shared);
  app.addHook('preHandler', (request, reply) => admit(idempotency, request, reply));
  app.addHook('onSend', (request, reply, payload) => keep(request, reply, payload, idempotency.maxAnswerBytes));
}

/** What Fastify takes with any plugin. */
const pluginOptions: ReadonlySet<string> = new Set(['prefix', 'logLevel', 'logSerializers']);

/**
 * Runs requests that carry the same `Idempotency-Key` once, over all processes; for the routes of the scope that it is
 * registered in, and those within. The others get the kept answer with `Idempotent-Replayed: true`; 409 with `Retry-After`
 * while the first runs; 422 when they are for another method, path or body; and any request with a key 503 while the store
 * is away. All problems are `application/problem+json`.
 *
 * It looks once the body was parsed and its schema has admitted it, so what Fastify refuses is not kept. The body is what
 * was parsed; one that the handler reads by itself, such as a form with files, is not part of what the key is bound to
 * unless `fingerprint` says so. An answer is held back until it is kept. Register it behind what compresses or signs answers
 * for a handler, and behind what logs in.
 */
export const idempotentRequests: IdempotentRequestsPlugin = Object.assign(addIdempotentRequests, {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'commonhold-idempotency',
  [Symbol.for('plugin-meta')]: { name: 'commonhold-idempotency', fastify: '5.x' },
});

/** The run that `request` is; undefined where it has no key. */
export function idempotentRun(request: FastifyRequest): IdempotentRun | undefined {
  return running.get(request);
}

async function admit(
  idempotency: Idempotency<FastifyRequest>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  if (request.is404 || running.has(request)) return undefined;
  const key = idempotency.keyOf(request.method, request.headers['idempotency-key']);
  if (key === undefined) return undefined;
  if (typeof key !== 'string') return replyProblem(reply, key);
  const body = await (idempotency.fingerprint ?? parsedBody)(request);
  const admission = await idempotency.begin(request, key, { method: request.method, path: request.url, body });
  if (admission.kind === 'problem') return replyProblem(reply, admission.problem);
  if (admission.kind === 'replay') return setAnswer(reply, admission.answer).send(bodyOf(admission.answer));
  running.set(request, admission.run);
  reply.raw.once('close', () => void endHijacked(request, reply));
  return undefined;
}

async function keep(request: FastifyRequest, reply: FastifyReply, payload: unknown, most: number): Promise<unknown> {
  const run = running.get(request);
  if (run === undefined) return payload;
  running.delete(request);
  try {
    const { whole, send } = await collectPayload(reply, payload, most);
    const other = await run.settle(reply.statusCode, (name) => reply.getHeader(name), whole);
    if (other === undefined || whole === undefined) return send;
    setAnswer(reply, other);
    return bodyOf(other) ?? null;
  } catch (error) {
    await run.abandon();
    throw error;
  }
}

// A handler that took the connection into its own hands has sent what nobody saw.
async function endHijacked(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const run = running.get(request);
  if (run === undefined || !reply.sent) return;
  running.delete(request);
  if (reply.raw.writableFinished)
    await run.settle(reply.raw.statusCode, (name) => reply.raw.getHeader(name), undefined);
  else await run.abandon();
}

function setAnswer(reply: FastifyReply, answer: StoredAnswer): FastifyReply {
  return reply.code(answer.status).headers({ ...answer.headers, [replayHeader]: 'true' });
}

function bodyOf(answer: StoredAnswer): Buffer | undefined {
  const body = bodyBytes(answer);
  return body.length > 0 ? body : undefined;
}

// What was parsed, in one form for each kind: a text is not the value it spells.
function parsedBody({ body }: FastifyRequest): string | Uint8Array {
  if (body === undefined || body === null) return '';
  if (body instanceof Uint8Array) return body;
  if (typeof body === 'string') return `text ${body}`;
  if (body instanceof Readable || isWebStream(body)) return '';
  try {
    return `json ${JSON.stringify(body)}`;
  } catch (cause) {
    throw new InvalidArgumentError(where, 'a body that JSON can tell, or the option fingerprint', body, { cause });
  }
}

function isWebStream(body: object): body is ReadableStream {
  return 'getReader' in body && typeof body.getReader === 'function';
}
