import { InvalidArgumentError } from './errors.js';

/**
 * What a use of a feature does while the store is away:
 *
 * - `throw`, and `closed` where something is guarded: calls reject with `Unavailable`.
 * - `open`: calls go on as if the feature were not there.
 * - `stale`: what this process knew last is served for reading; writes reject.
 * - `buffer`: the same, and writes are noted here and brought to the store when it is back.
 * - `memory`: this process serves what it can by itself.
 */
export interface AwayChoices {
  readonly cache: 'open' | 'throw';
  readonly channel: 'memory' | 'throw';
  readonly counter: 'buffer' | 'throw';
  readonly map: 'buffer' | 'stale' | 'throw';
  readonly plainMap: 'buffer' | 'stale' | 'throw';
  readonly presence: 'memory' | 'throw';
  readonly queue: 'buffer' | 'throw';
  readonly rateLimit: 'memory' | 'open' | 'closed';
  readonly session: 'stale' | 'memory' | 'closed';
  readonly uniqueSet: 'buffer' | 'throw';
}

/** The default comes first (DECISIONS K9). */
const choicesOf: {
  readonly [Feature in keyof AwayChoices]: readonly [AwayChoices[Feature], ...AwayChoices[Feature][]];
} = {
  cache: ['open', 'throw'],
  channel: ['memory', 'throw'],
  counter: ['buffer', 'throw'],
  map: ['buffer', 'stale', 'throw'],
  plainMap: ['buffer', 'stale', 'throw'],
  presence: ['memory', 'throw'],
  queue: ['buffer', 'throw'],
  rateLimit: ['memory', 'open', 'closed'],
  session: ['stale', 'memory', 'closed'],
  uniqueSet: ['buffer', 'throw'],
};

/** The choice made, or the default. @throws InvalidArgumentError naming `where`. */
export function awayChoice<Feature extends keyof AwayChoices>(
  where: string,
  feature: Feature,
  choice: AwayChoices[Feature] | undefined,
): AwayChoices[Feature] {
  const choices: readonly [AwayChoices[Feature], ...AwayChoices[Feature][]] = choicesOf[feature];
  if (choice === undefined) return choices[0];
  if (choices.includes(choice)) return choice;
  throw new InvalidArgumentError(`${where}, away`, choices.map((one) => `'${one}'`).join(' or '), choice);
}
