import { isCommonholdError } from '../../src/errors.js';
import { pause } from '../../src/testing/waiting.js';

/** What one feature does again and again, and what it must still know in the end. */
export interface FeatureLoad {
  readonly name: string;
  /** Keys of the feature that the load uses, one for each slot worth moving. */
  readonly keys: readonly string[];
  /** One round of work; throws what a caller would see. Answers that are wrong throw an `Error` of their own. */
  readonly round: (number: number) => Promise<void>;
  /** Acknowledged writes that are gone. */
  readonly lost: () => Promise<readonly unknown[]>;
}

/** The key of a feature's `tag`, for the slot that it lies in. */
export type KeyOf = (feature: string, tag: string) => string;

/** What callers saw while loads ran. */
export interface LoadReport {
  readonly rounds: number;
  readonly errors: readonly { readonly feature: string; readonly code: string; readonly message: string }[];
}

/** Runs all `loads` side by side while `work` runs. */
export async function runLoads(loads: readonly FeatureLoad[], work: () => Promise<unknown>): Promise<LoadReport> {
  let ended = false;
  let rounds = 0;
  const errors: { feature: string; code: string; message: string }[] = [];
  const running = loads.map(async ({ name, round }) => {
    for (let number = 0; !ended; number++) {
      await round(number).then(
        () => rounds++,
        (error: unknown) => {
          const code = isCommonholdError(error) ? error.code : 'wrong';
          errors.push({ feature: name, code, message: String(error) });
        },
      );
      // A failing call comes back at once: without a pause it would starve everything else.
      await pause(1);
    }
  });
  try {
    await work();
  } finally {
    ended = true;
    await Promise.all(running);
  }
  return { rounds, errors };
}

/** What is lost of what was acknowledged, by feature. */
export async function lostWrites(loads: readonly FeatureLoad[]): Promise<Record<string, readonly unknown[]>> {
  const found = await Promise.all(loads.map(async ({ name, lost }) => [name, await lost()] as const));
  return Object.fromEntries(found.filter(([, lost]) => lost.length > 0));
}

/** Throws what no caller may see. */
export function expectSame(what: string, expected: unknown, received: unknown): void {
  if (received !== expected) throw new Error(`${what}: ${String(received)} instead of ${String(expected)}`);
}
