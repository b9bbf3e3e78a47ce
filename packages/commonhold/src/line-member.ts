import { encodePart } from './keys.js';

/** One who waits for a turn or has it: a lock's holder, the one that runs. */
export interface LineMember {
  /** Id of its process, which is woken for it. */
  readonly owner: string;
  /** Letters, digits, `-` and `_`; never given twice by one process. */
  readonly id: string;
}

/** Whether both are one. */
export function isSameMember(one: LineMember | undefined, other: LineMember): boolean {
  return one !== undefined && one.id === other.id && one.owner === other.owner;
}

/** How things stand for one whose turn it is not. */
export interface TurnToCome {
  readonly state: 'wait';
  /** Whether it stands in the line and nobody stands before it, not counting the one that has the turn. */
  readonly first: boolean;
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
