import type { Stored } from '../codec/stored.js';
import type { SessionEnd, SessionRecord, SessionRefusal } from './session-port.js';

const wholeNumber = /^\d{1,15}$/;
const ends: ReadonlySet<string> = new Set<SessionEnd>(['absent', 'idle', 'absolute', 'revoked', 'corrupt']);

/** The hash of a session: names and values in turn. Fields of other names belong to other versions and are passed over. */
export function readRecord(id: string, flat: readonly Stored[]): SessionRecord | SessionEnd {
  if (flat.length === 0) return 'absent';
  const header: Record<string, Stored> = {};
  const fields: [string, Stored][] = [];
  for (let index = 0; index + 1 < flat.length; index += 2) {
    const name = String(flat[index]);
    const value = flat[index + 1] as Stored;
    if (name.startsWith('d.')) fields.push([name.slice(2), value]);
    else if (name.length === 1) header[name] = value;
  }
  const { x: reason } = header;
  return reason === undefined ? recordOf(id, header, fields) : endOf(String(reason));
}

/** The answer of a script that reads: fields and values, or why the session is not live. */
export function readAnswer(id: string, reply: unknown): SessionRecord | SessionEnd {
  return Array.isArray(reply) ? readRecord(id, reply as Buffer[]) : endOf(String(reply));
}

/** The answer of a script that moves a session: as {@link readAnswer}, or that there was no room. */
export function readRefusal(id: string, reply: unknown): SessionRecord | SessionRefusal {
  return String(reply) === 'too-large' ? 'too-large' : readAnswer(id, reply);
}

// A reason that only a newer version knows is as good as none.
function endOf(reason: string): SessionEnd {
  return ends.has(reason) ? (reason as SessionEnd) : 'absent';
}

function recordOf(
  id: string,
  { u, c, l, a, v, r, s }: Readonly<Record<string, Stored>>,
  fields: SessionRecord['fields'],
): SessionRecord | SessionEnd {
  const user = u === undefined ? undefined : String(u);
  const record = {
    id,
    user,
    createdAtMs: numberOf(c),
    lastActivityAtMs: numberOf(l),
    endsAtMs: numberOf(a),
    version: numberOf(v),
    fields,
  };
  // A sum is a number only where all of them are.
  const sum =
    record.createdAtMs + record.lastActivityAtMs + record.endsAtMs + record.version + numberOf(r ?? '0') + numberOf(s);
  return Number.isNaN(sum) ? 'corrupt' : record;
}

function numberOf(stored: Stored | undefined): number {
  const text = String(stored);
  return wholeNumber.test(text) ? Number(text) : Number.NaN;
}
