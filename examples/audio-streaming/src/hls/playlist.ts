/** The name of a segment's file, by its number from 0. */
export function segmentName(index: number): string {
  return `segment-${index}.mp3`;
}

/**
 * A finished HLS playlist (RFC 8216) of the segments, in order.
 *
 * @param durations in seconds, to be written to the microsecond.
 */
export function writePlaylist(durations: readonly number[]): string {
  // No segment may be longer than the target, to the nearest whole second.
  const target = Math.max(1, ...durations.map((seconds) => Math.ceil(seconds)));
  return [
    '#EXTM3U',
    '#EXT-X-VERSION:3',
    `#EXT-X-TARGETDURATION:${target}`,
    '#EXT-X-MEDIA-SEQUENCE:0',
    '#EXT-X-PLAYLIST-TYPE:VOD',
    ...durations.flatMap((seconds, index) => [`#EXTINF:${seconds.toFixed(6)},`, segmentName(index)]),
    '#EXT-X-ENDLIST',
    '',
  ].join('\n');
}

/** How many segments a playlist names. */
export function countSegments(playlist: string): number {
  return playlist.match(/^#EXTINF:/gm)?.length ?? 0;
}
