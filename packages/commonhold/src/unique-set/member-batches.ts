import { InvalidArgumentError, ValueTooLargeError } from '../errors.js';
import { mostMembers } from './unique-set-port.js';

/** Bytes of UTF-8 that one member may have. */
const longestMemberBytes = 64 * 1024;
/** Bytes of members after which a batch is full, so that no command keeps others waiting for long. */
const batchBytes = 1024 * 1024;

/**
 * Members as batches that one step takes; none for no members.
 * @throws InvalidArgumentError naming `where`, for anything but well-formed text.
 * @throws ValueTooLargeError for a member of more than 64 KiB.
 */
export function memberBatches(where: string, members: string | Iterable<string>): string[][] {
  if (typeof members === 'string') return [[checkMember(where, members)]];
  if (!isIterable(members)) throw new InvalidArgumentError(where, 'text, or an iterable of texts', members);
  const batches: string[][] = [];
  let room = 0;
  for (const member of members) {
    const bytes = Buffer.byteLength(checkMember(where, member));
    const batch = batches.at(-1);
    if (batch === undefined || batch.length === mostMembers || bytes > room) {
      batches.push([member]);
      room = batchBytes - bytes;
    } else {
      batch.push(member);
      room -= bytes;
    }
  }
  return batches;
}

/** @throws as {@link memberBatches} does, for one member. */
export function checkMember(where: string, member: string): string {
  if (typeof member !== 'string') throw new InvalidArgumentError(where, 'text', member);
  if (!member.isWellFormed()) throw new InvalidArgumentError(where, 'well-formed Unicode', 'a lone surrogate');
  if (member.length > longestMemberBytes / 3 && Buffer.byteLength(member) > longestMemberBytes) {
    throw new ValueTooLargeError(`A member of ${where}`, `${longestMemberBytes} bytes`, {
      advice: 'Nothing was sent. Keep a hash of it in the set instead.',
    });
  }
  return member;
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}
