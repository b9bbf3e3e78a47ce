import type { Stored } from '../codec/stored.js';
import type { SessionEnd, SessionRecord, SessionRefusal } from './session-port.js';

const wholeNumber = /^\d{1,15}$/;
const ends: ReadonlySet<string> = new Set<SessionEnd>(['absent', 'idle', 'absolute', 'revoked', 'corrupt']);

/** The hash of a session: names and values in turn. Fields of other names belong to other versions and are passed over. */
export function readRecord(id: string, flat: readonly Buffer[]): SessionRecord | SessionEnd {
  if (flat.length === 0) return 'absent';
  const header = new Map<string, string>();
  const fields: [string, Stored][] = [];
  for (let index = 0; index + 1 < flat.length; index += 2) {
    const name = (flat[index] as Buffer).toString();
    const value = flat[index + 1] as Buffer;
    if (name.startsWith('d.')) fields.push([name.slice(2), value]);
    else header.set(name, value.toString());
  }
  const reason = header.get('x');
  return reason === undefined ? recordOf(id, header, fields) : endOf(reason);
}

/** The answer of a script that reads: fields and values, or why the session is not live. */
export function readAnswer(id: string, reply: unknown): SessionRecord | SessionEnd {
  return Array.isArray(reply) ? readRecord(id, reply as Buffer[]) : endOf(String(reply));
}

/** The answer of a script that writes: as {@link readAnswer}, or that there was no room. */
export function readRefusal(id: string, reply: unknown): SessionRecord | SessionRefusal {
  return String(reply) === 'too-large' ? 'too-large' : readAnswer(id, reply);
}

// A reason that only a newer version knows is as good as none.
function endOf(reason: string): SessionEnd {
  return ends.has(reason) ? (reason as SessionEnd) : 'absent';
}

function recordOf(
  id: string,
  header: ReadonlyMap<string, string>,
  fields: SessionRecord['fields'],
): SessionRecord | SessionEnd {
  const createdAtMs = numberOf(header.get('c'));
  const lastActivityAtMs = numberOf(header.get('l'));
  const endsAtMs = numberOf(header.get('a'));
  const version = numberOf(header.get('v'));
  // A sum is a number only where all of them are.
  if (Number.isNaN(createdAtMs + lastActivityAtMs + endsAtMs + version)) return 'corrupt';
  return { id, user: header.get('u'), createdAtMs, lastActivityAtMs, endsAtMs, version, fields };
}

function numberOf(text: string | undefined): number {
  return text !== undefined && wholeNumber.test(text) ? Number(text) : Number.NaN;
}
