/** Which frames to make. */
export interface MadeOptions {
  /** Default 100. */
  readonly frames?: number;
  /** The header's four bytes. Default MPEG-1 Layer III, 128 kbit/s, 44.1 kHz, stereo: 417 bytes a frame. */
  readonly header?: number;
  /** Bytes of one frame, as the header has it. */
  readonly frameBytes?: number;
  /** Text of an ID3v2 tag before the frames, which makes one file differ from another. */
  readonly title?: string;
}

// The header of the default frames.
const stereo44k = 0xff_fb_90_00;

/** Silent MP3 frames: side information of zeros means no sound, and real decoders take it. */
export function madeMp3(options: MadeOptions = {}): Buffer {
  const { frames = 100, header = stereo44k, frameBytes = 417, title } = options;
  const frame = Buffer.alloc(frameBytes);
  frame.writeUInt32BE(header);
  const tag = title === undefined ? Buffer.alloc(0) : id3Tag(title);
  return Buffer.concat([tag, ...Array.from({ length: frames }, () => frame)]);
}

/** An ID3v2.3 tag with a title. */
export function id3Tag(title: string): Buffer {
  const text = Buffer.from(`\0${title}`, 'latin1');
  const frame = Buffer.concat([Buffer.from('TIT2'), Buffer.from([0, 0, 0, text.length, 0, 0]), text]);
  return Buffer.concat([
    Buffer.from('ID3\x03\0\0', 'latin1'),
    Buffer.from([0, 0, frame.length >> 7, frame.length & 127]),
    frame,
  ]);
}

/** Seconds of the default frames. */
export function madeSeconds(frames: number): number {
  return (frames * 1152) / 44_100;
}
