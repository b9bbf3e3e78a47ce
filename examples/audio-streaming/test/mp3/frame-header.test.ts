import { describe, expect, it } from 'vitest';
import { isSameStream, readFrameHeader } from '../../src/mp3/frame-header.js';

describe('a frame header', () => {
  it.each([
    ['MPEG-1, 128 kbit/s, 44.1 kHz, stereo', 0xff_fb_90_00, [417, 1152, 44_100, 128, 2, 32]],
    ['the same, padded', 0xff_fb_92_00, [418, 1152, 44_100, 128, 2, 32]],
    ['MPEG-1, 320 kbit/s, 48 kHz, joint stereo', 0xff_fb_e4_40, [960, 1152, 48_000, 320, 2, 32]],
    ['MPEG-2, 64 kbit/s, 16 kHz, mono', 0xff_f3_88_c4, [288, 576, 16_000, 64, 1, 9]],
    ['MPEG-2.5, 8 kbit/s, 8 kHz, mono', 0xff_e3_18_c0, [72, 576, 8_000, 8, 1, 9]],
    ['MPEG-2, 160 kbit/s, 24 kHz, stereo, with a checksum', 0xff_f2_e4_00, [480, 576, 24_000, 160, 2, 17]],
  ])('%s', (_name, bits, [bytes, samples, sampleRate, bitrate, channels, sideInformationBytes]) => {
    expect(readFrameHeader(bits)).toEqual({ bytes, samples, sampleRate, bitrate, channels, sideInformationBytes });
  });

  it.each([
    ['no sync word', 0x7f_fb_90_00],
    ['half a sync word', 0xff_1b_90_00],
    ['a reserved version', 0xff_eb_90_00],
    ['Layer II', 0xff_fd_90_00],
    ['Layer I', 0xff_ff_90_00],
    ['AAC in ADTS', 0xff_f1_50_80],
    ['the free format', 0xff_fb_00_00],
    ['a bad bit rate', 0xff_fb_f0_00],
    ['a reserved sampling rate', 0xff_fb_9c_00],
  ])('is not %s', (_name, bits) => {
    expect(readFrameHeader(bits)).toBeUndefined();
  });

  it('belongs to a stream by version, layer and sampling rate, whatever else changes', () => {
    expect(isSameStream(0xff_fb_90_00, 0xff_fa_e2_c4)).toBe(true);
    expect(isSameStream(0xff_fb_90_00, 0xff_fb_94_00)).toBe(false);
    expect(isSameStream(0xff_fb_90_00, 0xff_f3_90_00)).toBe(false);
  });
});
