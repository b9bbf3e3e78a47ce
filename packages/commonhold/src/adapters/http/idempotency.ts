import { createHash } from 'node:crypto';
import { wholeNumber } from '../../codec/limits.js';
import type { Duration } from '../../duration.js';
import { InvalidArgumentError } from '../../errors.js';
import { checkOptionNames, type OptionNames } from '../../option-names.js';
import type { RunOnce } from '../../run-once/run-once.js';
import type { SharedState } from '../../shared-state.js';
import { problemOf } from './admission.js';
import { AnswerRun, type Keeping } from './answer-run.js';
import { readIdempotencyKey } from './idempotency-key.js';
import { type Problem, problemDocument } from './problem.js';
import { keptHeaderNames, type StoredAnswer } from './stored-answer.js';

/** Methods that change something, and may carry a key. */
export type KeyedMethod = 'POST' | 'PATCH' | 'PUT' | 'DELETE';

/** How requests that carry an `Idempotency-Key` are told apart and their answers kept. */
export interface IdempotencyOptions<Request> {
  /**
   * Whose key it is, such as the user's id; nobody gets the answer to somebody else's request. `''` where all clients are
   * one.
   */
  readonly scope: (request: Request) => string | Promise<string>;
  /** Which answers belong together; requests with one key under two names are two. Default `http`. */
  readonly name?: string;
  /** Whether a request without a key is answered 400. Default false: it is served as if this were not here. */
  readonly required?: boolean;
  /** How long an answer is kept, and its key bound. Default 24 h. */
  readonly ttl?: Duration;
  /**
   * How long a request whose process is not heard of any more keeps others from running. Default 10 s, at least 1 s; it is
   * renewed, so handlers may take as long as they like.
   */
  readonly lease?: Duration;
  /** Requests that may carry a key; on others it is not looked at. Default POST and PATCH. */
  readonly methods?: readonly KeyedMethod[];
  /** Headers to keep besides those that describe the body or name a place. `Set-Cookie` is kept only if it is named. */
  readonly headers?: readonly string[];
  /** Which answers are kept. One that is not leaves the key free to be tried again. Default: all but 5xx, 408, 425, 429. */
  readonly keep?: (status: number) => boolean;
  /**
   * Bytes of a body that is kept, at most 768 KiB. Default 256 KiB. A longer one is sent all the same; asked for again it is
   * answered 410, and nothing runs twice.
   */
  readonly maxAnswerBytes?: number;
  /** What stands for the body: a request with the same key must have the same. Default: a hash of the body. */
  readonly fingerprint?: (request: Request) => string | Promise<string>;
}

/** Names of {@link IdempotencyOptions}. */
const idempotencyNames: OptionNames<IdempotencyOptions<unknown>> = {
  scope: true,
  name: true,
  required: true,
  ttl: true,
  lease: true,
  methods: true,
  headers: true,
  keep: true,
  maxAnswerBytes: true,
  fingerprint: true,
};

/** What is to be done with a request. */
export type Admission =
  | { readonly kind: 'problem'; readonly problem: Problem }
  | { readonly kind: 'replay'; readonly answer: StoredAnswer }
  | { readonly kind: 'run'; readonly run: AnswerRun };

/** What a key is bound to, besides its scope. */
export interface KeyedTarget {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly body: string | Uint8Array;
}

const keyedMethods: readonly string[] = ['POST', 'PATCH', 'PUT', 'DELETE'];
const tryAgainStatuses: ReadonlySet<number> = new Set([408, 425, 429]);
/** So that with its frame, and in base64 where it is no text, it fits into a stored value. */
const mostAnswerBytes = 768 * 1024;

/** Requests that run once by their key, whichever framework serves them. */
export class Idempotency<Request> {
  readonly maxAnswerBytes: number;
  readonly fingerprint: IdempotencyOptions<Request>['fingerprint'];
  readonly #where: string;
  readonly #options: IdempotencyOptions<Request>;
  readonly #methods: ReadonlySet<string>;
  readonly #keeping: Keeping;
  readonly #runs: RunOnce<StoredAnswer>;

  /** @throws InvalidArgumentError naming the option that is wrong. */
  constructor(where: string, state: SharedState, options: IdempotencyOptions<Request>) {
    checkOptionNames(where, options, idempotencyNames);
    if (typeof options.scope !== 'function') {
      throw new InvalidArgumentError(`${where}, scope`, 'a function that says whose key it is', options.scope);
    }
    if (typeof state?.runOnce !== 'function') {
      throw new InvalidArgumentError(`${where}, state`, 'what openState returns', state);
    }
    const { ttl = '24h', lease = '10s', name = 'http', keep = isFinal, headers = [] } = options;
    this.#where = where;
    this.#options = options;
    this.#methods = methodSet(options.methods ?? ['POST', 'PATCH'], `${where}, methods`);
    this.fingerprint = options.fingerprint;
    this.maxAnswerBytes = wholeNumber(
      `${where}, maxAnswerBytes`,
      options.maxAnswerBytes,
      256 * 1024,
      0,
      mostAnswerBytes,
    );
    this.#keeping = { keep, names: keptHeaderNames(headers, `${where}, headers`) };
    this.#runs = state.runOnce<StoredAnswer>(name, { keep: ttl, lease });
  }

  /** The key of a request; the problem to answer with; or undefined, where it is to be served as any other. */
  keyOf(method: string | undefined, header: string | readonly string[] | undefined): string | Problem | undefined {
    if (!this.#methods.has(method ?? '')) return undefined;
    const presented = readIdempotencyKey(header);
    if (presented.kind === 'key') return presented.key;
    if (presented.kind === 'invalid') return plainProblem(400, badKey);
    return this.#options.required === true ? plainProblem(400, noKey) : undefined;
  }

  /** Asks for the right to run a request, once it is known what it is. */
  async begin(request: Request, key: string, target: KeyedTarget): Promise<Admission> {
    const scope = await this.#options.scope(request);
    if (typeof scope !== 'string') {
      throw new InvalidArgumentError(`${this.#where}, scope`, 'a function that returns text', scope);
    }
    // The scope may be a secret, such as a token; the key is what people look for.
    const runKey = `${hash(scope).slice(0, 22)}:${key}`;
    const fingerprint = hash(JSON.stringify([target.method, target.path]), target.body);
    try {
      const begun = await this.#runs.begin(runKey, { fingerprint });
      if (begun.status === 'begun') return { kind: 'run', run: new AnswerRun(key, begun.run, this.#keeping) };
      if (begun.status === 'running') return { kind: 'problem', problem: underWay };
      if (begun.status === 'mismatch') return { kind: 'problem', problem: plainProblem(422, otherRequest) };
      if (begun.result.omitted === true) return { kind: 'problem', problem: gone(begun.result) };
      return { kind: 'replay', answer: begun.result };
    } catch (error) {
      return { kind: 'problem', problem: problemOf(error) };
    }
  }
}

const noKey = 'This request needs an Idempotency-Key header: one text of its own for each, such as a UUID.';
const badKey = 'The Idempotency-Key header must hold one key of 1 to 255 visible ASCII characters, such as a UUID.';
const otherRequest =
  'This Idempotency-Key was used for another request: another method, path or body. Draw a new key for each.';
const underWay: Problem = {
  document: problemDocument(409, 'The request with this Idempotency-Key is under way. Try again in a moment.'),
  headers: { 'Retry-After': '1' },
};

function gone({ status }: StoredAnswer): Problem {
  const detail = `This request was done and answered ${status}. Its answer could not be kept; look for what it did.`;
  return { document: problemDocument(410, detail, { members: { 'answered-status': status } }), headers: {} };
}

function plainProblem(status: number, detail: string): Problem {
  return { document: problemDocument(status, detail), headers: {} };
}

// What says that another try may succeed must not be what every other try gets.
function isFinal(status: number): boolean {
  return status < 500 && !tryAgainStatuses.has(status);
}

function methodSet(methods: readonly string[], where: string): ReadonlySet<string> {
  const wrong = methods.find((method) => !keyedMethods.includes(method));
  if (wrong === undefined && methods.length > 0) return new Set(methods);
  throw new InvalidArgumentError(where, `some of ${keyedMethods.join(', ')}`, wrong ?? 'none');
}

function hash(...parts: readonly (string | Uint8Array)[]): string {
  const digest = createHash('sha256');
  for (const part of parts) digest.update(`${part.length}:`).update(part);
  return digest.digest('base64url');
}
