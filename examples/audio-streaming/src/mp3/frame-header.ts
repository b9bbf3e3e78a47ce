/** What the four bytes at the beginning of an MP3 frame say. */
export interface FrameHeader {
  /** Of the whole frame, header included. */
  readonly bytes: number;
  /** Per channel: 1152 in MPEG-1, 576 in MPEG-2 and 2.5. */
  readonly samples: number;
  /** Samples per second. */
  readonly sampleRate: number;
  /** kbit/s. */
  readonly bitrate: number;
  readonly channels: 1 | 2;
  /** Bytes of side information after the header and its checksum; a Xing or Info tag begins behind them. */
  readonly sideInformationBytes: number;
}

/** Bytes of a frame header. */
export const headerBytes = 4;

// ISO/IEC 11172-3, 2.4.2.3 (MPEG-1) and ISO/IEC 13818-3, 2.4.2.3 (MPEG-2), Layer III; 0 is the free format, which names no size.
const bitratesOfMpeg1: readonly number[] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const bitratesOfMpeg2: readonly number[] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
const sampleRatesOfMpeg1: readonly number[] = [44_100, 48_000, 32_000];

const mpeg1 = 3;
const reservedVersion = 1;
const layer3 = 1;
const mono = 3;

/**
 * Reads the header of a Layer III frame; undefined where none can begin: no sync word, another layer, reserved values, or
 * the free format.
 *
 * @param bits the four bytes, big-endian.
 */
export function readFrameHeader(bits: number): FrameHeader | undefined {
  const version = (bits >>> 19) & 3;
  const isLayer3 = bits >>> 21 === 0x7ff && version !== reservedVersion && ((bits >>> 17) & 3) === layer3;
  if (!isLayer3) return undefined;
  const isMpeg1 = version === mpeg1;
  const bitrate = (isMpeg1 ? bitratesOfMpeg1 : bitratesOfMpeg2)[(bits >>> 12) & 15] ?? 0;
  // MPEG-2 halves the rates of MPEG-1, and 2.5 (version 0) quarters them.
  const sampleRate = (sampleRatesOfMpeg1[(bits >>> 10) & 3] ?? 0) / (isMpeg1 ? 1 : version === 0 ? 4 : 2);
  if (bitrate === 0 || sampleRate === 0) return undefined;
  const samples = isMpeg1 ? 1152 : 576;
  const padding = (bits >>> 9) & 1;
  const isMono = ((bits >>> 6) & 3) === mono;
  return {
    bytes: Math.floor((samples * bitrate * 125) / sampleRate) + padding,
    samples,
    sampleRate,
    bitrate,
    channels: isMono ? 1 : 2,
    sideInformationBytes: isMpeg1 ? (isMono ? 17 : 32) : isMono ? 9 : 17,
  };
}

/** Bits that no frame of one stream changes: sync word, version, layer and sampling rate. */
const streamBits = 0xff_fe_0c_00;

/** Whether two headers may stand in one stream. */
export function isSameStream(bits: number, other: number): boolean {
  return ((bits ^ other) & streamBits) === 0;
}
