import {
  type CommonholdError,
  CorruptStateError,
  describe,
  isCommonholdError,
  OutcomeUnknownError,
  OverloadedError,
  StaleGuardError,
  StoreFullError,
  UnavailableError,
} from '../../errors.js';
import type { NamedOperation } from '../../operation.js';

/** Replies by which Redis says that it ran nothing, and what each means. */
const refusals: Readonly<Record<string, string>> = {
  LOADING: 'Redis is loading its data',
  READONLY: 'this Redis is a replica',
  NOREPLICAS: 'Redis has too few replicas at hand to take writes',
  MISCONF: 'Redis cannot save to disk and refuses writes',
  BUSY: 'Redis is busy with a long script',
  CLUSTERDOWN: 'the cluster is down',
  MASTERDOWN: 'the master is down',
  NOAUTH: 'Redis asks for a password',
  WRONGPASS: 'Redis refused the user name or password',
  NOPERM: 'the Redis user may not run this command',
  NOSCRIPT: 'Redis lost the script',
  TRYAGAIN: 'the slot is moving',
  MOVED: 'this Redis is one node of a cluster, and another serves the key',
  ASK: 'the slot is moving',
};

/** Replies of a server that is of no use for now, on this connection. */
const unfitCodes: ReadonlySet<string> = new Set(['LOADING', 'BUSY', 'READONLY', 'NOAUTH', 'MASTERDOWN']);
/** Replies of a server that reads well and takes no writes. */
const refusingCodes: ReadonlySet<string> = new Set(['OOM', 'MISCONF', 'NOREPLICAS']);

/** Errors of the client that come before anything was written. */
const unsentErrors: ReadonlySet<string> = new Set(['ClientOfflineError', 'ClientClosedError']);

/** What a failed call means to the caller (K3): certainly not run, may have run, or wrong data in the way. */
export function classify(operation: NamedOperation, error: unknown): CommonholdError {
  const { name, message } = errorParts(error);
  const code = replyCode(message);
  // The client's and the server's messages carry no arguments; the errors themselves do, so they are not kept as cause.
  const details = { cause: new Error(message) };
  if (unsentErrors.has(name)) return new UnavailableError(operation.name, 'no connection to Redis');
  if (message === 'The queue is full')
    return new OverloadedError('The queue of calls to Redis', '10000 calls in flight');
  if (code === 'OOM') return new StoreFullError('Redis', 'its maxmemory', details);
  if (code === 'WRONGTYPE') return new CorruptStateError(`A key of ${operation.name}`, 'another Redis type', details);
  if (code === 'STALEGUARD') return new StaleGuardError(operation.name);
  // Destroyed by us or by whoever holds the raw client; the client's own words for it say nothing.
  if (name === 'DisconnectsClientError') return unanswered(operation, 'the connection was given up');
  const refusal = code === undefined ? undefined : refusals[code];
  if (refusal !== undefined) return new UnavailableError(operation.name, refusal, details);
  return unanswered(operation, message, details.cause);
}

/** A call that was sent and whose answer did not come, or made no sense. */
export function unanswered(operation: NamedOperation, why: string, cause?: Error): CommonholdError {
  const details = cause === undefined ? {} : { cause };
  if (operation.kind === 'read') return new UnavailableError(operation.name, why, details);
  return new OutcomeUnknownError(operation.name, why, operation.kind === 'idempotent', details);
}

/** Whether Redis does not hold the script: it did not run, so sending its text instead is safe. */
export function isNoScript(error: unknown): boolean {
  return errorParts(error).message.startsWith('NOSCRIPT');
}

/** Whether Redis refused because the user lacks a right. */
export function isForbidden(error: unknown): boolean {
  return replyCode(errorParts(underlying(error)).message) === 'NOPERM';
}

/** A reply by which a node says that a call belongs elsewhere: for good (`moved`), or for this once. */
export interface Redirection {
  readonly moved: boolean;
  readonly slot: number;
  /** Empty when the node does not know by which name it was reached itself. */
  readonly host: string;
  readonly port: number;
}

/** Where `error` says that the call belongs, if it says so. */
export function redirection(error: unknown): Redirection | undefined {
  const [, kind, slot, host, port] = /^(MOVED|ASK) (\d+) (\S*):(\d+)$/.exec(errorParts(error).message) ?? [];
  return kind === undefined
    ? undefined
    : { moved: kind === 'MOVED', slot: Number(slot), host: host ?? '', port: Number(port) };
}

const passing: ReadonlySet<string> = new Set(['TRYAGAIN', 'CLUSTERDOWN', 'MASTERDOWN', 'READONLY']);

/** Why a node of a cluster did not run a call that it, or another, may run in a moment; undefined for all else. */
export function passingRefusal(error: unknown): string | undefined {
  const code = replyCode(errorParts(error).message);
  return code !== undefined && passing.has(code) ? refusals[code] : undefined;
}

/** Whether a call was refused because its slot is moving. */
export function isTryAgain(error: unknown): boolean {
  return replyCode(errorParts(error).message) === 'TRYAGAIN';
}

/** Why a server is of no use for now, by its own words; undefined when it said nothing of the kind. */
export function unfitness(error: unknown): string | undefined {
  const code = replyCode(errorParts(underlying(error)).message);
  return code !== undefined && unfitCodes.has(code) ? refusals[code] : undefined;
}

/** Why a server takes no writes, though it reads; undefined when it said nothing of the kind. */
export function writeRefusal(error: unknown): string | undefined {
  const code = replyCode(errorParts(underlying(error)).message);
  if (code === undefined || !refusingCodes.has(code)) return undefined;
  return refusals[code] ?? 'the memory of Redis is full';
}

/**
 * What a failed pulse says of its server: `away` when it is of no use, `refusing` when it takes no writes, `elsewhere` when
 * the slot is another's or has no master at the moment, `unseen` when it answers and keeps us from knowing.
 */
export function pulseVerdict(error: unknown, inCluster: boolean): 'away' | 'refusing' | 'elsewhere' | 'unseen' {
  const code = replyCode(errorParts(underlying(error)).message);
  if (code === undefined) return 'away';
  if (refusingCodes.has(code)) return 'refusing';
  if (code === 'MOVED' || code === 'ASK') return 'elsewhere';
  if (passing.has(code) && (inCluster || !unfitCodes.has(code))) return 'elsewhere';
  return unfitCodes.has(code) ? 'away' : 'unseen';
}

/** The reason a connection attempt failed, for people. */
export function connectFailure(error: unknown): string {
  const { message } = errorParts(underlying(error));
  const code = replyCode(message);
  return (code === undefined ? undefined : refusals[code]) ?? message;
}

function errorParts(error: unknown): { name: string; message: string } {
  if (!(error instanceof Error)) return { name: '', message: typeof error === 'string' ? error : describe(error) };
  // A refused connection to several addresses is an AggregateError with an empty message.
  const message = error.message || ('code' in error ? String(error.code) : error.name);
  return { name: error.constructor.name, message };
}

// Our own error about a call made while connecting says less than what caused it.
function underlying(error: unknown): unknown {
  return isCommonholdError(error) && error.cause instanceof Error ? error.cause : error;
}

// Inside a script Redis 7 puts the code first; Redis 6.2 puts it behind `ERR Error running script (...): @user_script:1: `.
function replyCode(message: string): string | undefined {
  const [, scripted, code] =
    /^(ERR Error running script.*?: (?:@?user_script:\d+: )?)?-?([A-Z]{3,})\b/.exec(message) ?? [];
  // The other codes come before the first write of a script. A missing right shows where the script stumbles over it.
  return scripted !== undefined && code === 'NOPERM' ? undefined : code;
}
