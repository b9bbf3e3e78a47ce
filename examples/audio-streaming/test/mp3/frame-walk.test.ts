import { assert, integer, property, array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { framesOf, FrameWalk } from '../../src/mp3/frame-walk.js';
import { id3Tag, madeMp3 } from '../made-mp3.js';
import { speech, speechFrames } from '../samples.js';

const frameBytes = 417;
const offsets = (file: Buffer): number[] => framesOf(file).map(({ offset }) => offset);

describe('the walk over frames', () => {
  it('finds every frame of a real recording, and not its Xing tag', async () => {
    const frames = framesOf(await speech());
    expect(frames).toHaveLength(speechFrames);
    // Each begins where the one before it ended.
    const ends = frames.map(({ offset, bytes }) => offset + bytes);
    expect(frames.slice(1).map(({ offset }) => offset)).toEqual(ends.slice(0, -1));
  });

  it('finds the same frames whatever pieces the file comes in', async () => {
    const file = Buffer.concat([await speech(), Buffer.from('TAG'), Buffer.alloc(125, 'x')]);
    const whole = framesOf(file);
    const cuts = array(integer({ min: 0, max: file.length }), { maxLength: 30 });
    assert(
      property(cuts, (places) => {
        const walk = new FrameWalk();
        const bounds = [0, ...places.toSorted((a, b) => a - b), file.length];
        const pieces = bounds.slice(1).map((end, index) => file.subarray(bounds[index], end));
        expect([...pieces.flatMap((piece) => walk.push(piece)), ...walk.end()]).toEqual(whole);
      }),
      { numRuns: 40 },
    );
  });

  it('finds them byte by byte', () => {
    const file = madeMp3({ frames: 3, title: 'a' });
    const walk = new FrameWalk();
    const found = Array.from(file, (byte) => walk.push(Buffer.of(byte))).flat();
    expect([...found, ...walk.end()]).toEqual(framesOf(file));
    expect(framesOf(file)).toHaveLength(3);
  });

  it.each([
    ['an ID3 tag that holds sync words', (mp3: Buffer) => [id3Tag('\xff\xfb\x90\x00'.repeat(20)), mp3]],
    ['bytes of no meaning', (mp3: Buffer) => [Buffer.from('\xff\xfb\x90\x00noise', 'latin1'), mp3]],
  ])('passes over %s before them', (_name, parts) => {
    const [before = Buffer.alloc(0), mp3 = Buffer.alloc(0)] = parts(madeMp3({ frames: 4 }));
    expect(offsets(Buffer.concat([before, mp3]))).toEqual([0, 1, 2, 3].map((n) => before.length + n * frameBytes));
  });

  it('finds its way again after damage, and leaves out what is cut short', () => {
    const good = madeMp3({ frames: 3 });
    const file = Buffer.concat([good, Buffer.alloc(50, 0xff), good, good.subarray(0, 100)]);
    expect(offsets(file)).toHaveLength(6);
  });

  it('passes over a VBRI tag', () => {
    const file = madeMp3({ frames: 5 });
    file.write('VBRI', 36, 'latin1');
    expect(offsets(file)).toEqual([1, 2, 3, 4].map((n) => n * frameBytes));
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('hello '.repeat(1_000))],
    ['one lone sync word', Buffer.concat([Buffer.of(0xff, 0xfb, 0x90, 0), Buffer.alloc(5_000)])],
    ['an ID3 tag that claims more than there is', Buffer.from('ID3\x03\0\0\x7f\x7f\x7f\x7fabc', 'latin1')],
    ['ones', Buffer.alloc(5_000, 0xff)],
  ])('finds none in %s', (_name, file) => {
    expect(framesOf(file)).toEqual([]);
  });
});
