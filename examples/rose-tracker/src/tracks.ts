/** What was seen in one frame of a recording. */
export interface RecordedFrame {
  readonly frame: number;
  /** Ids as the recording has them. */
  readonly roses: readonly string[];
}

/**
 * Reads tracks in the format of MOTChallenge: lines of `frame,id,…`, where the rest says where the object was. Frames
 * come in their order, and those without an object are left out.
 *
 * @throws {Error} Naming the line that is no such line.
 */
export function readTracks(text: string): RecordedFrame[] {
  const frames = new Map<number, string[]>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const match = /^(\d+),(\d+),/.exec(line);
    if (match === null) throw new Error(`Line ${index + 1} of the tracks: expected frame,id,… and not: ${line}`);
    const frame = Number(match[1]);
    frames.set(frame, [...(frames.get(frame) ?? []), String(match[2])]);
  }
  return [...frames].toSorted(([left], [right]) => left - right).map(([frame, roses]) => ({ frame, roses }));
}
