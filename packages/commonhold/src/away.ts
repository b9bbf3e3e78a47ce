import { InvalidArgumentError } from './errors.js';
import { checkOptionNames } from './option-names.js';

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
  readonly session: 'stale' | 'closed';
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
  session: ['stale', 'closed'],
  uniqueSet: ['buffer', 'throw'],
};

/** What all uses do that choose nothing themselves: `throw` for every feature, or a choice for some. */
export type AwayDefaults = 'throw' | Partial<Omit<AwayChoices, 'plainMap'>>;

/** A choice for every feature. @throws InvalidArgumentError naming `where`. */
export function awayDefaults(where: string, defaults: AwayDefaults = {}): AwayChoices {
  if (defaults !== 'throw' && (typeof defaults !== 'object' || defaults === null)) {
    throw new InvalidArgumentError(where, "'throw' or a choice by feature", defaults);
  }
  const given: Partial<Omit<AwayChoices, 'plainMap'>> = defaults === 'throw' ? {} : defaults;
  const { plainMap: _, ...features } = choicesOf;
  checkOptionNames(where, given, features);
  const choices = (Object.keys(features) as (keyof typeof features)[]).map((feature) => [
    feature,
    // The last choice of each feature is to be told.
    defaults === 'throw' ? choicesOf[feature].at(-1) : awayChoice(`${where}, ${feature}`, feature, given[feature]),
  ]);
  const chosen = Object.fromEntries(choices) as Omit<AwayChoices, 'plainMap'>;
  return { ...chosen, plainMap: chosen.map };
}

/** The choice made, or the default. @throws InvalidArgumentError naming `where`. */
export function awayChoice<Feature extends keyof AwayChoices>(
  where: string,
  feature: Feature,
  choice: AwayChoices[Feature] | undefined,
  byDefault: AwayChoices[Feature] = choicesOf[feature][0],
): AwayChoices[Feature] {
  const choices: readonly [AwayChoices[Feature], ...AwayChoices[Feature][]] = choicesOf[feature];
  if (choice === undefined) return byDefault;
  if (choices.includes(choice)) return choice;
  throw new InvalidArgumentError(where, choices.map((one) => `'${one}'`).join(' or '), choice);
}
