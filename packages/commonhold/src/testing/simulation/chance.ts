import type { Random } from '../../random.js';
import { seededRandom } from '../random.js';

/** Decisions that depend on a seed alone. */
export interface Chance extends Random {
  /** Whether something happens that does with this probability. */
  happens(probability: number): boolean;
  /** A number from `least` to `most`. */
  between(least: number, most: number): number;
  /** A whole number from `least` to `most`, both included. */
  whole(least: number, most: number): number;
  /** A time that is `meanMs` on average and may be much longer, as that until the next of rare events. */
  until(meanMs: number): number;
  /** One of them. */
  pick<Item>(items: readonly Item[]): Item;
}

/** @param seed any safe integer. */
export function createChance(seed: number): Chance {
  const random = seededRandom(seed);
  const whole = (least: number, most: number): number => least + Math.floor(random.number() * (most - least + 1));
  return {
    ...random,
    happens: (probability) => random.number() < probability,
    between: (least, most) => least + random.number() * (most - least),
    whole,
    until: (meanMs) => -meanMs * Math.log(1 - random.number()),
    pick: (items) => items[whole(0, items.length - 1)] as (typeof items)[number],
  };
}
