import { isCommonholdError, OutcomeUnknownError } from './errors.js';

/**
 * The results of the batches of one call that may be repeated safely.
 * @throws what a batch failed with, once all have settled; where another batch was done, or may have been, `OutcomeUnknown`
 *   instead of an error that would say that nothing happened.
 */
export async function allBatches<Result>(operation: string, batches: readonly Promise<Result>[]): Promise<Result[]> {
  try {
    return await Promise.all(batches);
  } catch (error) {
    if (batches.length === 1) throw error;
  }
  const settled = await Promise.allSettled(batches);
  const failures = settled.flatMap((batch) => (batch.status === 'rejected' ? [batch.reason as unknown] : []));
  const results = settled.flatMap((batch) => (batch.status === 'fulfilled' ? [batch.value] : []));
  const failure = failures.find(isUnknown) ?? failures[0];
  if (results.length === 0 || isUnknown(failure) || !isCommonholdError(failure)) throw failure;
  throw new OutcomeUnknownError(operation, 'a part of it was done', true, { cause: failure });
}

function isUnknown(error: unknown): boolean {
  return isCommonholdError(error) && error.code === 'OutcomeUnknown';
}
