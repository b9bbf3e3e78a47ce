/**
 * Ids of messages in a stream: `<ms>-<seq>`, the server's milliseconds since 1970 and a counter within one, as Redis
 * streams have them. They only grow, even when the clock goes back, as long as the stream lives.
 */

/** What stands before the first message of a stream. */
export const originId = '0-0';

const pattern = /^\d{1,15}-\d{1,15}$/;

/** Whether `id` has the form of a message id. */
export function isMessageId(id: unknown): id is string {
  return typeof id === 'string' && pattern.test(id);
}

/** Below zero when `left` comes before `right`, zero when they are equal. */
export function compareIds(left: string, right: string): number {
  const [leftMs, leftSequence] = partsOf(left);
  const [rightMs, rightSequence] = partsOf(right);
  return leftMs - rightMs || leftSequence - rightSequence;
}

/** When the message was published, in the server's milliseconds since 1970; later where the clock had gone back. */
export function millisecondsOf(id: string): number {
  return partsOf(id)[0];
}

/** The id of a message published at `nowMs` after the one with id `previous`. */
export function nextId(previous: string, nowMs: number): string {
  const [ms, sequence] = partsOf(previous);
  return nowMs > ms ? `${nowMs}-0` : `${ms}-${sequence + 1}`;
}

function partsOf(id: string): readonly [ms: number, sequence: number] {
  const dash = id.indexOf('-');
  return [Number(id.slice(0, dash)), Number(id.slice(dash + 1))];
}
