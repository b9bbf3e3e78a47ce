import { describe, expect, it } from 'vitest';
import { countSegments, writePlaylist } from '../../src/hls/playlist.js';

describe('a playlist', () => {
  it('is a finished one, with exact lengths and a target that none exceeds', () => {
    const playlist = writePlaylist([3.996, 4.0008, 0.5]);
    expect(playlist.split('\n')).toEqual([
      '#EXTM3U',
      '#EXT-X-VERSION:3',
      '#EXT-X-TARGETDURATION:5',
      '#EXT-X-MEDIA-SEQUENCE:0',
      '#EXT-X-PLAYLIST-TYPE:VOD',
      '#EXTINF:3.996000,',
      'segment-0.mp3',
      '#EXTINF:4.000800,',
      'segment-1.mp3',
      '#EXTINF:0.500000,',
      'segment-2.mp3',
      '#EXT-X-ENDLIST',
      '',
    ]);
    expect(countSegments(playlist)).toBe(3);
  });

  it('has a target of a second at least', () => {
    expect(writePlaylist([0.3])).toContain('#EXT-X-TARGETDURATION:1\n');
  });
});
