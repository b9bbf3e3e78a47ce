import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inspectRecording, NotAnMp3Error } from '../../src/mp3/recording.js';
import { temporaryDirectory } from '../directories.js';
import { madeMp3, madeSeconds } from '../made-mp3.js';
import { decode, speech, speechFrames, speechSeconds } from '../samples.js';

async function fileOf(content: Buffer): Promise<string> {
  const path = join(await temporaryDirectory(), 'file');
  await writeFile(path, content);
  return path;
}

describe('a recording', () => {
  it('is measured as a decoder measures it', async () => {
    const file = await speech();
    const recording = await inspectRecording(await fileOf(file));
    expect(recording).toEqual({
      durationSeconds: speechSeconds,
      sampleRate: 16_000,
      channels: 1,
      frames: speechFrames,
    });
    const { seconds, peak } = await decode(file);
    expect(Math.abs(seconds - speechSeconds)).toBeLessThan(0.08);
    expect(peak).toBeGreaterThan(0.1);
  });

  it('may be larger than what is read at a time', async () => {
    const recording = await inspectRecording(await fileOf(madeMp3({ frames: 5_000 })));
    expect(recording).toMatchObject({ frames: 5_000, durationSeconds: madeSeconds(5_000), channels: 2 });
  });

  it('is refused when it is something else', async () => {
    await expect(inspectRecording(await fileOf(Buffer.from('RIFF....WAVEfmt ')))).rejects.toThrow(NotAnMp3Error);
    await expect(inspectRecording(await fileOf(Buffer.alloc(0)))).rejects.toThrow(/not an MP3/);
  });
});
