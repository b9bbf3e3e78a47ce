/** Ticks of an MPEG-2 timestamp per second, and where it begins again. */
const ticksPerSecond = 90_000;
const timestampRange: bigint = 1n << 33n;

const ownerName = 'com.apple.streaming.transportStreamTimestamp\0';
const tagHeaderBytes = 10;
const frameHeaderBytes = 10;
const timestampBytes = 8;

/**
 * The ID3 tag that a packed audio segment begins with (RFC 8216, 3.4): a PRIV frame with the time of its first sample as a
 * 33-bit MPEG-2 timestamp.
 */
export function timestampTag(startSeconds: number): Buffer {
  const contentBytes = ownerName.length + timestampBytes;
  const tag = Buffer.alloc(tagHeaderBytes + frameHeaderBytes + contentBytes);
  tag.write('ID3\x04', 'latin1');
  writeSynchsafe(tag, frameHeaderBytes + contentBytes, 6);
  tag.write('PRIV', tagHeaderBytes, 'latin1');
  writeSynchsafe(tag, contentBytes, tagHeaderBytes + 4);
  tag.write(ownerName, tagHeaderBytes + frameHeaderBytes, 'latin1');
  const ticks = BigInt(Math.round(startSeconds * ticksPerSecond)) % timestampRange;
  tag.writeBigUInt64BE(ticks, tag.length - timestampBytes);
  return tag;
}

/** Four times seven bits, as ID3 writes sizes. */
function writeSynchsafe(bytes: Buffer, value: number, at: number): void {
  for (let index = 0; index < 4; index++) bytes[at + index] = (value >>> (7 * (3 - index))) & 127;
}
