const magic = 0xfd2fb528;

/**
 * The size of the content that a Zstandard frame declares (RFC 8878, 3.1.1.1), or undefined where this is no frame or
 * it declares none. Read by ourselves so that nothing is allocated, and no library called, for a size nobody allowed.
 */
export function declaredSize(frame: Buffer): number | undefined {
  if (frame.length < 6 || frame.readUInt32LE(0) !== magic) return undefined;
  const descriptor = frame.readUInt8(4);
  const singleSegment = (descriptor & 0x20) !== 0;
  const windowBytes = singleSegment ? 0 : 1;
  const dictionaryIdBytes = [0, 1, 2, 4][descriptor & 0x03] ?? 0;
  const at = 5 + windowBytes + dictionaryIdBytes;
  const sizeBytes = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  return frame.length < at + sizeBytes ? undefined : sizeAt(frame, at, sizeBytes);
}

function sizeAt(frame: Buffer, at: number, sizeBytes: number): number | undefined {
  switch (sizeBytes) {
    case 1:
      return frame.readUInt8(at);
    case 2:
      return frame.readUInt16LE(at) + 256;
    case 4:
      return frame.readUInt32LE(at);
    case 8:
      return Number(frame.readBigUInt64LE(at));
    default:
      return undefined;
  }
}
