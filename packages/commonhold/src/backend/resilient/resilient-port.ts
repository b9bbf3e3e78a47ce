import { type CommonholdError, isCommonholdError, StoreFullError, UnavailableError } from '../../errors.js';
import type { NamedOperation, Operations } from '../../operation.js';

/** What this process says in place of the store; undefined for what it does not know, which rejects. */
export type AwayAnswer<Method> = Method extends (...call: infer Call) => Promise<infer Answer>
  ? (...call: Call) => Promise<Answer> | undefined
  : never;

/** Hears what the store answered, to know it later. */
type Learn<Method> = Method extends (...call: infer Call) => Promise<infer Answer>
  ? (answer: Answer, ...call: Call) => void
  : never;

/** How many calls of each operation were answered here, by its name. */
export type AwayTally = Map<string, number>;

/** Hears a call that may have happened although the store is taken to be away. */
type Unsure<Method> = Method extends (...call: infer Call) => Promise<unknown> ? (...call: Call) => void : never;

/** What a feature does in this process while its store is away, or was a moment ago. */
export interface AwayTwin<Port> {
  /** One for each operation that is not refused. */
  readonly answers: { readonly [Method in keyof Port]?: AwayAnswer<Port[Method]> };
  readonly learns?: { readonly [Method in keyof Port]?: Learn<Port[Method]> };
  /** Asked before `answers`, where an answer was lost. */
  readonly unsure?: { readonly [Method in keyof Port]?: Unsure<Port[Method]> };
  /** Whether what a call concerns was written here and is not in the store yet. Asked with each call: quick. */
  holds?(...call: never): boolean;
  /** Resolves when what a call concerns is on its way to the store no more; undefined where it is not. Asked with each call. */
  sending?(...call: never): Promise<void> | undefined;
}

type Call = readonly unknown[];
type AnyMethod = (...call: Call) => Promise<unknown>;
type AnyAnswer = (...call: Call) => Promise<unknown> | undefined;
type AnyLearn = (answer: unknown, ...call: Call) => void;

/**
 * A port that goes to `store` and, where that is away, to `twin`. Which errors mean that it is away is the same for every
 * feature; what an operation then does is said by its table and its twin. Made once for each port, not for each call.
 */
export function resilientPort<Port extends object>(
  store: Port,
  operations: Operations<Port>,
  twin: AwayTwin<Port>,
  tally: AwayTally,
): Port {
  const methods = Object.entries<NamedOperation>(operations).map(([method, operation]) => [
    method,
    resilientMethod(store as Readonly<Record<string, AnyMethod>>, method, { operation, twin, tally }),
  ]);
  return Object.fromEntries(methods) as Port;
}

function resilientMethod<Port>(
  store: Readonly<Record<string, AnyMethod>>,
  method: string,
  {
    operation,
    twin,
    tally,
  }: { readonly operation: NamedOperation; readonly twin: AwayTwin<Port>; readonly tally: AwayTally },
): AnyMethod {
  const answers = twin.answers as Readonly<Record<string, AnyAnswer | undefined>>;
  const learns = twin.learns as Readonly<Record<string, AnyLearn | undefined>> | undefined;
  const answer = operation.away === 'refuse' ? undefined : answers[method];
  const learn = learns?.[method];
  const unsure = (twin.unsure as Readonly<Record<string, ((...call: Call) => void) | undefined>> | undefined)?.[method];
  const holds = twin.holds?.bind(twin) as ((...call: Call) => boolean) | undefined;
  const sending = twin.sending?.bind(twin) as ((...call: Call) => Promise<void> | undefined) | undefined;
  // Looked up with each call: closing a state replaces the methods of its ports.
  const ask = (call: Call): Promise<unknown> => (store[method] as AnyMethod)(...call);
  const learnt = (reply: unknown, call: Call): unknown => (learn?.(reply, ...call), reply);
  const away = async (call: Call, error: Error): Promise<unknown> => {
    const known = answer?.(...call);
    if (known === undefined) throw error;
    tally.set(operation.name, (tally.get(operation.name) ?? 0) + 1);
    return known;
  };
  const go = (call: Call): Promise<unknown> => {
    if (holds?.(...call) === true) return away(call, notThere(operation));
    const asked = ask(call);
    if (answer === undefined && learn === undefined) return asked;
    return asked.then(
      (reply) => learnt(reply, call),
      (error: unknown) => {
        if (!isAway(error, operation)) throw error;
        if (error.code === 'OutcomeUnknown') unsure?.(...call);
        return away(call, error);
      },
    );
  };
  if (sending === undefined) return (...call) => go(call);
  const goInTurn = (call: Call): Promise<unknown> => sending(...call)?.then(() => goInTurn(call)) ?? go(call);
  return (...call) => goInTurn(call);
}

/** Whether `error` says that the store did nothing, or what may be done again, so that this process may answer. */
export function isAway(error: unknown, { kind, whenUnsure }: NamedOperation): error is CommonholdError {
  if (!isCommonholdError(error)) return false;
  if (error.code === 'Unavailable' || error instanceof StoreFullError) return true;
  return error.code === 'OutcomeUnknown' && (kind === 'idempotent' || whenUnsure === 'away');
}

/** What is told of a call that must not go to the store before what was noted here of the same key. */
export function notThere({ name }: NamedOperation): UnavailableError {
  return new UnavailableError(name, 'what was written here while the store was away is not there yet');
}
