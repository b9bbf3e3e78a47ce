import { isCommonholdError } from 'commonhold';

const ofTheCaller: ReadonlySet<string> = new Set(['InvalidArgument', 'ValueTooLarge']);

/** Whether `error` says that the store could not do it, rather than that it was asked something wrong. */
export function isStoreFailure(error: unknown): boolean {
  return isCommonholdError(error) && !ofTheCaller.has(error.code);
}
