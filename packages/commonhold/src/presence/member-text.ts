import type { Codec } from '../codec/codec.js';
import { ValueTooLargeError } from '../errors.js';
import type { Location } from './location.js';
import type { StoredMember } from './presence-port.js';

/** A member that is present. */
export interface PresentMember<Meta> {
  readonly id: string;
  readonly user: string | undefined;
  readonly region: string | undefined;
  readonly location: Location | undefined;
  /** Milliseconds since 1970, by the store's clock. */
  readonly joinedAtMs: number;
  /** Of its last join, move or heartbeat, the latter to within 4 s. */
  readonly lastActivityAtMs: number;
  /** `name#incarnation` of the process that it joined at. */
  readonly owner: string;
  readonly meta: Meta;
  /**
   * The store is away, or has not heard of it yet: what is said is what this process knows of a member of its own, by its own
   * clock. Absent otherwise.
   */
  readonly local?: true;
}

const mostMetaBytes = 4_096;

/**
 * Meta as text: JSON as it is; of any other form `~` and the bytes in base64.
 * @throws ValueTooLargeError beyond 4 KiB.
 */
export function metaText(codec: Codec, meta: unknown): string {
  if (meta === undefined) return '';
  const stored = codec.encode(meta, 'The meta of a member');
  const plain = typeof stored === 'string' && stored.charCodeAt(0) >= 0x20;
  const text = plain ? stored : `~${Buffer.from(stored).toString('base64')}`;
  if (Buffer.byteLength(text) > mostMetaBytes) throw new ValueTooLargeError('The meta of a member', '4 KiB');
  return text;
}

/** Reads what the store holds of a member. @throws CorruptStateError or UnknownFormError as the codec does. */
export async function readMember<Meta>(codec: Codec, stored: StoredMember): Promise<PresentMember<Meta>> {
  const { id, seat, user, region, location, joinedAtMs, lastActivityAtMs, local } = stored;
  return {
    id,
    user: user === '' ? undefined : user,
    region: region === '' ? undefined : region,
    location: location === '' ? undefined : readLocation(location),
    joinedAtMs,
    lastActivityAtMs,
    owner: ownerOfSeat(seat),
    meta: (await readMeta(codec, stored.meta)) as Meta,
    ...(local && { local }),
  };
}

/** A seat of its own for each use of a presence in a process, so that closing one does not touch another. */
export function seatOf(owner: string, suffix: string): string {
  return `${owner}/${suffix}`;
}

function readLocation(text: string): Location {
  const [latitude = 0, longitude = 0] = text.split(',').map(Number);
  return { latitude, longitude };
}

function ownerOfSeat(seat: string): string {
  return seat.slice(0, seat.lastIndexOf('/'));
}

function readMeta(codec: Codec, text: string): unknown {
  if (text === '') return undefined;
  return codec.decode(text.startsWith('~') ? Buffer.from(text.slice(1), 'base64') : text, 'The meta of a member');
}
