import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { readTracks } from '../src/tracks.js';
import { recording } from './recording.js';

describe('tracks', () => {
  it('are read by frame, in their order, whatever the order of the lines', () => {
    expect(readTracks('3,7,1,2\r\n1,8,0,0\n3,9,5,5\n\n')).toEqual([
      { frame: 1, roses: ['8'] },
      { frame: 3, roses: ['7', '9'] },
    ]);
  });

  it.each(['frame,id,x', '1', '1;2;3', '-1,2,3'])('name a line that is none: %s', (line) => {
    expect(() => readTracks(`1,1,0\n${line}\n`)).toThrow(`Line 2 of the tracks: expected frame,id,… and not: ${line}`);
  });

  it('of a real street are 179 frames with ten people', async () => {
    const frames = readTracks(await readFile(recording, 'utf8'));
    expect(frames).toHaveLength(179);
    expect(new Set(frames.flatMap(({ roses }) => roses)).size).toBe(10);
  });
});
