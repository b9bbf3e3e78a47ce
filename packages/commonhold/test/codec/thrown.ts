import { CommonholdError } from '../../src/errors.js';

/** The library's error that `action` throws. Anything else, or nothing, fails the test. */
export function thrownBy(action: () => unknown): CommonholdError {
  try {
    action();
  } catch (error) {
    if (error instanceof CommonholdError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
