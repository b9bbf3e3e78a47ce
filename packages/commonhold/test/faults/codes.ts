import { isCommonholdError } from '../../src/errors.js';

/** The columns of the matrix. */
export const features = {
  CA: 'cache',
  SE: 'session',
  RL: 'rate limit',
  MA: 'map',
  LO: 'lock',
  QU: 'queue',
  PS: 'pub/sub',
  PR: 'presence',
  CN: 'counter',
  US: 'unique set',
} as const;
export type Feature = keyof typeof features;
export const featureNames: readonly Feature[] = Object.keys(features) as Feature[];

/** What a call, or the look at what is left afterwards, may show. */
export const meanings = {
  OK: 'as ever',
  ST: 'what this process knew last',
  LD: 'nothing is known: the caller loads or computes',
  LL: 'the limiter of this process alone',
  BU: 'noted in this process, and brought to the store when it is back',
  PL: 'this process alone, and said so',
  AB: 'counts as absent, and the log says why',
  UN: '`Unavailable`, within the deadline: certainly did not run',
  OU: '`OutcomeUnknown`: may have run, and the same operation id may be sent again',
  EX: 'another error with a code; other keys are not touched',
  LE: 'recovered when a lease ended',
  RB: 'put back by the process that owns it',
  TK: 'a stale token was refused',
  RS: 'subscribers were told to read anew',
  DL: 'lost by the store, and told with `stateLost`',
  '!!': 'wrong: see the line below the matrix',
} as const;
export type Code = keyof typeof meanings;

const codesOfErrors: Readonly<Record<string, Code>> = {
  Unavailable: 'UN',
  OutcomeUnknown: 'OU',
  StaleGuard: 'TK',
  LeaseLost: 'LE',
  Overloaded: 'EX',
  CorruptState: 'EX',
  UnknownForm: 'EX',
  InvalidValue: 'EX',
  InvalidArgument: 'EX',
  ValueTooLarge: 'EX',
};

/** What an error is in the matrix. One that users cannot tell by its code is wrong. */
export function codeOf(error: unknown): Code {
  return (isCommonholdError(error) ? codesOfErrors[error.code] : undefined) ?? '!!';
}

/** What one cell should show: while the fault lasts, and after it. A subset of the codes named will do, if it is not empty. */
export interface Expectation {
  readonly during: readonly Code[];
  readonly after: readonly Code[];
}

/** Reads `'ST LD > OK'`; `-` stands for a cell that the fault does not concern. */
export function expectation(text: string): Expectation {
  const [during = '', after = ''] = text.split('>').map((part) => part.trim());
  return { during: codesIn(during), after: codesIn(after) };
}

function codesIn(text: string): Code[] {
  return text.split(' ').filter((word) => word !== '' && word !== '-') as Code[];
}
