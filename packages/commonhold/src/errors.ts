/**
 * Every error the library rejects or throws with. Each has a literal `code`, documented in docs/errors.md under the
 * same name, and `advice`: one sentence on what the reader can do. Expected outcomes (absent, limited, cancelled) are
 * values, never errors.
 */
export type ErrorCode =
  | 'InvalidArgument'
  | 'MissingDependency'
  | 'Unavailable'
  | 'OutcomeUnknown'
  | 'Closed'
  | 'Overloaded'
  | 'ValueTooLarge'
  | 'InvalidValue'
  | 'UnknownForm'
  | 'CorruptState'
  | 'LockTimeout'
  | 'RunTimeout'
  | 'ComputeTimeout'
  | 'LeaseLost'
  | 'StaleGuard'
  | 'QueuePaused'
  | 'JobFailed'
  | 'SessionLimit';

interface Details {
  /** What went wrong underneath, when something did. */
  readonly cause?: unknown;
  /** What the reader can do about it. */
  readonly advice?: string;
}

/** Base of all errors. Recognise it with {@link isCommonholdError}, which also works across two installed copies. */
export abstract class CommonholdError extends Error {
  abstract readonly code: ErrorCode;
  /** One sentence on what to do. */
  readonly advice: string;

  constructor(message: string, advice: string, details: Details = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.advice = details.advice ?? advice;
  }
}

const codes: ReadonlySet<string> = new Set<ErrorCode>([
  'InvalidArgument',
  'MissingDependency',
  'Unavailable',
  'OutcomeUnknown',
  'Closed',
  'Overloaded',
  'ValueTooLarge',
  'InvalidValue',
  'UnknownForm',
  'CorruptState',
  'LockTimeout',
  'RunTimeout',
  'ComputeTimeout',
  'LeaseLost',
  'StaleGuard',
  'QueuePaused',
  'JobFailed',
  'SessionLimit',
]);

/** Whether `error` came from this library, by its code rather than its class. */
export function isCommonholdError(error: unknown): error is CommonholdError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.has(error.code);
}

/** An argument or option is not what it must be. Nothing else happened. */
export class InvalidArgumentError extends CommonholdError {
  override readonly name = 'InvalidArgumentError';
  readonly code = 'InvalidArgument';

  constructor(where: string, expected: string, received: unknown, details: Details = {}) {
    super(`${where}: expected ${expected}, received ${describe(received)}`, 'Correct the argument named.', details);
  }
}

/** An optional package is needed and not installed. */
export class MissingDependencyError extends CommonholdError {
  override readonly name = 'MissingDependencyError';
  readonly code = 'MissingDependency';

  constructor(packageName: string, neededFor: string, details: Details = {}) {
    super(`${packageName} is not installed, and ${neededFor} needs it`, `npm install ${packageName}`, details);
  }
}

/** The store did not run the call, for certain. Trying again later is safe. */
export class UnavailableError extends CommonholdError {
  override readonly name = 'UnavailableError';
  readonly code = 'Unavailable';

  constructor(operation: string, why: string, details: Details = {}) {
    super(`${operation} did not run: ${why}`, 'Try again later; nothing was changed.', details);
  }
}

/** The call was sent and no answer came: it may have run. */
export class OutcomeUnknownError extends CommonholdError {
  override readonly name = 'OutcomeUnknownError';
  readonly code = 'OutcomeUnknown';
  /** Whether the operation may simply be sent again, because running twice equals running once. */
  readonly retrySafe: boolean;

  constructor(operation: string, why: string, retrySafe: boolean, details: Details = {}) {
    const advice = retrySafe
      ? 'Send it again: running twice equals running once.'
      : 'Read the state before sending it again: it may already have run.';
    super(`${operation} may have run: ${why}`, advice, details);
    this.retrySafe = retrySafe;
  }
}

/** The state, or the part of it that was called, is closed. */
export class ClosedError extends CommonholdError {
  override readonly name = 'ClosedError';
  readonly code = 'Closed';

  constructor(what: string, details: Details = {}) {
    super(`${what} is closed`, 'Open a new state, or call before close().', details);
  }
}

/** A bound was reached (memory, calls in flight), and taking more would harm what is there. */
export class OverloadedError extends CommonholdError {
  override readonly name = 'OverloadedError';
  readonly code = 'Overloaded';

  constructor(what: string, bound: string, details: Details = {}) {
    super(`${what} is full: ${bound}`, 'Raise the bound, or write less.', details);
  }
}

/** The store has no memory left for the call, which did not run. Others, such as those that free memory, go on. */
export class StoreFullError extends OverloadedError {}

/** A value is larger or deeper than allowed. It was not sent. */
export class ValueTooLargeError extends CommonholdError {
  override readonly name = 'ValueTooLargeError';
  readonly code = 'ValueTooLarge';

  constructor(what: string, bound: string, details: Details = {}) {
    super(
      `${what} exceeds ${bound}`,
      'Store the bytes elsewhere and keep a reference here, or raise maxValueBytes.',
      details,
    );
  }
}

/** What a schema found wrong. */
export interface ValueIssue {
  /** Where in the value, as in `user.email`; empty for the value itself. */
  readonly path: string;
  /** As the schema says it. Some schemas quote the value. */
  readonly message: string;
}

/** A value does not fit the schema that was given for it. When writing, nothing was sent. */
export class InvalidValueError extends CommonholdError {
  override readonly name = 'InvalidValueError';
  readonly code = 'InvalidValue';
  readonly #issues: readonly ValueIssue[];

  constructor(what: string, issues: readonly ValueIssue[], details: Details = {}) {
    super(
      `${what} does not fit its schema${placesOf(issues)}`,
      'Look at `issues`; write what the schema takes, or let it take what older versions wrote.',
      details,
    );
    this.#issues = issues;
  }

  /** What is wrong, by the schema's own words; not part of what is printed, since it may quote the value. */
  get issues(): readonly ValueIssue[] {
    return this.#issues;
  }
}

const mostPlaces = 3;

function placesOf(issues: readonly ValueIssue[]): string {
  const paths = [...new Set(issues.map(({ path }) => path).filter((path) => path !== ''))];
  if (paths.length === 0) return '';
  const named = paths.slice(0, mostPlaces).map((path) => (path.length <= 80 ? path : `${path.slice(0, 80)}…`));
  const more = paths.length - named.length;
  return `, at ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** Stored bytes begin with a form this version does not know: a newer version wrote them. They were left untouched. */
export class UnknownFormError extends CommonholdError {
  override readonly name = 'UnknownFormError';
  readonly code = 'UnknownForm';

  constructor(what: string, details: Details = {}) {
    super(`${what} was written in a form this version does not know`, 'Finish rolling out the newer version.', details);
  }
}

/** Stored data is not what this library writes: another program wrote the key, or it was damaged. */
export class CorruptStateError extends CommonholdError {
  override readonly name = 'CorruptStateError';
  readonly code = 'CorruptState';

  constructor(what: string, why: string, details: Details = {}) {
    super(
      `${what} holds something else: ${why}`,
      'Look at the key with redis-cli; give each application its own namespace.',
      details,
    );
  }
}

/** A lock was not acquired within the time the caller gave. The work did not begin. */
export class LockTimeoutError extends CommonholdError {
  override readonly name = 'LockTimeoutError';
  readonly code = 'LockTimeout';

  constructor(lock: string, wait: unknown, details: Details = {}) {
    super(
      `${lock} was not acquired within ${describe(wait)}`,
      'Wait longer, or look at status() for who holds it.',
      details,
    );
  }
}

/** Neither a result nor the turn to run came within the time the caller gave. The caller's work did not begin. */
export class RunTimeoutError extends CommonholdError {
  override readonly name = 'RunTimeoutError';
  readonly code = 'RunTimeout';

  constructor(run: string, wait: unknown, details: Details = {}) {
    super(`${run} did not end within ${describe(wait)}`, 'Wait longer, or look at get() for who runs it.', details);
  }
}

/** A value to be cached was not computed within the time that the cache allows, and no older one was at hand. */
export class ComputeTimeoutError extends CommonholdError {
  override readonly name = 'ComputeTimeoutError';
  readonly code = 'ComputeTimeout';

  constructor(what: string, limitMs: number, details: Details = {}) {
    super(
      `${what} was not computed within ${limitMs} ms`,
      'Allow more time with hardTimeout, or keep stale values with staleFor.',
      details,
    );
  }
}

/** What was held was lost, or can no longer be relied on, before it was released. */
export class LeaseLostError extends CommonholdError {
  override readonly name = 'LeaseLostError';
  readonly code = 'LeaseLost';

  constructor(what: string, why: string, details: Details = {}) {
    super(`${what} was lost: ${why}`, 'Stop, check what was written since, and ask for it again.', details);
  }
}

/** A guarded call was refused, and did nothing: a later holder of the lock has been at the same resource. */
export class StaleGuardError extends CommonholdError {
  override readonly name = 'StaleGuardError';
  readonly code = 'StaleGuard';

  constructor(operation: string, details: Details = {}) {
    super(
      `${operation} was refused: a later holder of the lock has been there`,
      'Stop: the lock was lost. Ask for it again and begin with what is stored now.',
      details,
    );
  }
}

/** A queue takes no jobs until it is resumed. Nothing was added. */
export class QueuePausedError extends CommonholdError {
  override readonly name = 'QueuePausedError';
  readonly code = 'QueuePaused';

  constructor(queue: string, details: Details = {}) {
    super(`Queue ${queue} takes no jobs`, "Add it again after resume('adding').", details);
  }
}

/** The job whose result was awaited has none: it failed for good, was cancelled, or its record is gone. */
export class JobFailedError extends CommonholdError {
  override readonly name = 'JobFailedError';
  readonly code = 'JobFailed';

  constructor(job: string, why: string, details: Details = {}) {
    super(`${job} has no result: ${why}`, 'Look at its record and log; a failed job can be sent again.', details);
  }
}

/** A user has as many sessions as may be, and a further login is refused. Nothing was changed. */
export class SessionLimitError extends CommonholdError {
  override readonly name = 'SessionLimitError';
  readonly code = 'SessionLimit';

  constructor(sessions: string, most: number, details: Details = {}) {
    super(`The user of ${sessions} has ${most} already`, 'End one of them first, such as one of list(user).', details);
  }
}

/**
 * Names a value in an error: numbers and short text as they are, anything longer by its kind and size alone. Who passes
 * what may be a secret hides it first.
 */
export function describe(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'boolean') return String(value);
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (typeof value === 'string')
    return value.length <= 40 ? JSON.stringify(value) : `a string of ${value.length} characters`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object') return `an instance of ${value.constructor?.name ?? 'Object'}`;
  return `a ${typeof value}`;
}
