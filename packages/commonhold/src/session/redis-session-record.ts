import type { Stored } from '../codec/stored.js';
import type { SessionEnd, SessionRecord, SessionRefusal, SessionReuse } from './session-port.js';

const wholeNumber = /^\d{1,15}$/;
const ends: ReadonlySet<string> = new Set<SessionEnd>(['absent', 'idle', 'absolute', 'revoked', 'corrupt']);

/** What the hash of a renewed session's old id says. Only a script knows whether its grace is over. */
export const renewed = 'renewed' as const;

type Header = Readonly<Record<string, Stored>>;

/** The hash of a session: names and values in turn. Fields of other names belong to other versions and are passed over. */
export function readRecord(id: string, flat: readonly Stored[]): SessionRecord | SessionEnd | typeof renewed {
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
  if (reason === undefined) return recordOf(id, header, fields);
  return String(reason) === renewed ? renewed : readEnd(reason);
}

/** The answer of a script that reads: fields and values, or why the session is not live. */
export function readAnswer(id: string, reply: unknown): SessionRecord | SessionEnd {
  const answer = Array.isArray(reply) ? readRecord(id, reply as Buffer[]) : readEnd(reply);
  return answer === renewed ? 'revoked' : answer;
}

/** As {@link readAnswer}, of a script that knows old ids. */
export function readOpened(id: string, reply: unknown): SessionRecord | SessionEnd | SessionReuse {
  // The first name too: the fields of a live session come in any order, and its user may be called `reused`.
  if (!Array.isArray(reply) || String(reply[0]) !== 'x' || String(reply[1]) !== 'reused') return readAnswer(id, reply);
  const [, , , next, , user] = reply.map(String);
  return { reused: next ?? id, user: user === '' ? undefined : user };
}

/** The answer of a script that moves a session: as {@link readAnswer}, or that there was no room. */
export function readRefusal(id: string, reply: unknown): SessionRecord | SessionRefusal {
  const text = String(reply);
  return text === 'too-large' || text === 'full' ? text : readAnswer(id, reply);
}

/**
 * Why a session is not live, as it is stored. To whoever asks by another way than reading, a renewed session's old id is a
 * revoked one. A reason that only a newer version knows is as good as none.
 */
export function readEnd(stored: unknown): SessionEnd {
  const reason = String(stored);
  if (reason === renewed) return 'revoked';
  return ends.has(reason) ? (reason as SessionEnd) : 'absent';
}

function recordOf(
  id: string,
  { i, u, e, c, t, l, a, v, r, s }: Header,
  fields: SessionRecord['fields'],
): SessionRecord | SessionEnd {
  const user = textOf(u);
  const createdAtMs = numberOf(c);
  const record = {
    id: textOf(i) ?? id,
    user,
    device: textOf(e),
    createdAtMs,
    authenticatedAtMs: user === undefined ? undefined : numberOf(t ?? c),
    lastActivityAtMs: numberOf(l),
    endsAtMs: numberOf(a),
    version: numberOf(v),
    fields,
  };
  // A sum is a number only where all of them are.
  const sum =
    createdAtMs +
    (record.authenticatedAtMs ?? 0) +
    record.lastActivityAtMs +
    record.endsAtMs +
    record.version +
    numberOf(r ?? '0') +
    numberOf(s);
  return Number.isNaN(sum) ? 'corrupt' : record;
}

function textOf(stored: Stored | undefined): string | undefined {
  return stored === undefined ? undefined : String(stored);
}

function numberOf(stored: Stored | undefined): number {
  const text = String(stored);
  return wholeNumber.test(text) ? Number(text) : Number.NaN;
}
