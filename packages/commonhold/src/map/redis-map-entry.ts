import { CorruptStateError } from '../errors.js';
import { decodeOwner, type MapRecord } from './map-port.js';

const bar = 0x7c;
const header = /^(\d{1,16})\|(\d{0,16})\|([^|]*)\|$/;
/** More than the longest header: two numbers and an owner of 128 characters, each perhaps encoded. */
const longestHeaderBytes = 1_024;

/**
 * One field of a map's hash, as the scripts wrote it. The value shares its bytes.
 * @throws CorruptStateError for anything else.
 */
export function parseEntry(map: string, raw: Buffer): MapRecord {
  const record = tryParseEntry(raw);
  if (record !== undefined) return record;
  throw new CorruptStateError(`An entry of map ${map}`, 'no version, end and owner before a value');
}

/** As {@link parseEntry}, with undefined for anything else. */
export function tryParseEntry(raw: Buffer): MapRecord | undefined {
  const end = headerEnd(raw);
  const [, version, expiresAtMs, owner] = header.exec(raw.toString('utf8', 0, end)) ?? [];
  if (owner === undefined || end === raw.length) return undefined;
  return {
    value: raw.subarray(end),
    version: Number(version),
    owner: decodeOwner(owner),
    expiresAtMs: expiresAtMs === '' ? undefined : Number(expiresAtMs),
  };
}

function headerEnd(raw: Buffer): number {
  const head = raw.subarray(0, longestHeaderBytes);
  let end = 0;
  for (let bars = 0; bars < 3; bars++) {
    end = head.indexOf(bar, end) + 1;
    if (end === 0) return raw.length;
  }
  return end;
}
