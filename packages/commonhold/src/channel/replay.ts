import type { StoredMessage } from '../message-frame.js';
import { millisecondsOf, originId } from '../message-id.js';

/** How far a reader has come, and what it knows of the time since. */
export interface Position {
  /** The last message seen; `0-0` before the first. */
  readonly id: string;
  /** For how long the channel keeps messages. */
  readonly keepMs: number;
  /** For how long messages may have been published and not seen; 0 when the link was whole, Infinity when unknown. */
  readonly unseenMs: number;
  /** How long ago this position was reached. */
  readonly silentMs: number;
}

/** What comes after a position. */
export interface Replay {
  readonly messages: readonly StoredMessage[];
  /** False when messages between the position and these are gone. */
  readonly complete: boolean;
}

/** Reads messages from an id on, that one included, oldest first. */
export type ReadMessages = (from: string, limit: number) => Promise<StoredMessage[]>;

/**
 * Reads at most `limit` messages after `position`: in one step, or in two when nothing is there to go on from, be it that
 * the stream ended or that its ids went back after a loss of data. Then it reads what exists.
 */
export async function replay(read: ReadMessages, position: Position, limit: number): Promise<Replay> {
  const [first, ...rest] = await read(position.id, limit + 1);
  const complete = follows(position, first);
  if (first === undefined && !complete) return { messages: await read(originId, limit), complete };
  const messages = first === undefined || first.id === position.id ? rest : [first, ...rest];
  return { messages: messages.slice(0, limit), complete };
}

/**
 * Whether `first`, the earliest message that is not before `position`, is known to have no predecessor that was not seen.
 *
 * A message names the one before it, which settles it, except where a stream began: it may have begun because the one
 * before ended of old age, which is no loss, if nothing can have come and gone unseen; or because the server lost its
 * data. Old age is the explanation only if the stream was silent for longer than messages are kept.
 */
function follows(position: Position, first: StoredMessage | undefined): boolean {
  if (first?.id === position.id) return true;
  if (first !== undefined && first.previous !== originId) return first.previous === position.id;
  if (position.unseenMs > position.keepMs) return false;
  if (position.id === originId) return true;
  const silentMs = first === undefined ? position.silentMs : millisecondsOf(first.id) - millisecondsOf(position.id);
  return silentMs > position.keepMs;
}
