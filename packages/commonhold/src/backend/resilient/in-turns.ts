/** More at once would fill the queue of the connection, or not be answered by the deadline. */
const atOnce = 64;

/**
 * Runs `tasks`, some at a time, and goes on where some fail; not where none of a turn succeeds, since the store is away then.
 * @throws what the first that failed did, after those that go on.
 */
export async function inTurns(tasks: readonly (() => Promise<unknown>)[]): Promise<void> {
  const failed: PromiseRejectedResult[] = [];
  for (let start = 0; start < tasks.length; start += atOnce) {
    const settled = await Promise.allSettled(tasks.slice(start, start + atOnce).map((task) => task()));
    const rejected = settled.filter((one) => one.status === 'rejected');
    failed.push(...rejected);
    if (rejected.length === settled.length) break;
  }
  if (failed[0] !== undefined) throw failed[0].reason;
}
