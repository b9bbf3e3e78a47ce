import { encodePart } from './keys.js';

/** One who waits for a turn or has it: a lock's holder, the one that runs. Never two with one id. */
export interface LineMember {
  /** Id of its process, which is woken for it. */
  readonly owner: string;
  /** Letters, digits, `-` and `_`. */
  readonly id: string;
}

/** How things stand for one whose turn it is not. */
export interface TurnToCome {
  readonly state: 'wait';
  /** How many wait before it, not counting the one that has the turn. */
  readonly ahead: number;
  /** Milliseconds until the one they all wait for counts as gone, unless it is heard of again. */
  readonly goneInMs: number;
}

/** The text by which a member is stored. */
export function memberText({ owner, id }: LineMember): string {
  return `${encodePart(owner)}:${id}`;
}

/** The process that {@link memberText} names. */
export function ownerOf(member: string): string {
  return decodeURIComponent(member.slice(0, member.indexOf(':')));
}
