import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { byTaxi, parsePoint, readTaxiPoints } from '../../src/replay/taxi-points.js';

const lines = [
  'longitude,latitude,timestamp,name_id',
  '119.6776716,31.27908,2020-07-18 09:07:17,b',
  '119.67815,31.2784533,2020-07-18 09:13:10,a',
  '119.677165,31.2792,2020-07-18 09:07:17,a',
];

async function compressed(text: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'commonhold-road-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  await writeFile(join(directory, 'points.csv'), text);
  expect(spawnSync('xz', [join(directory, 'points.csv')]).status).toBe(0);
  return join(directory, 'points.csv.xz');
}

describe('taxi points', () => {
  it('are read in the order of time, those of one time in the order of the file', async () => {
    const points = await readTaxiPoints(await compressed(`${lines.join('\n')}\n`));
    expect(points.map(({ taxiId }) => taxiId)).toEqual(['b', 'a', 'a']);
    expect(points[0]).toEqual({
      taxiId: 'b',
      latitude: 31.279_08,
      longitude: 119.677_671_6,
      timeMs: 1_595_063_237_000,
    });
    expect([...byTaxi(points)].map(([id, own]) => [id, own.length])).toEqual([
      ['b', 1],
      ['a', 2],
    ]);
  });

  it.each([
    '',
    '1,2',
    'x,2,2020-07-18 09:07:17,a',
    '1,2,never,a',
    '1,2,2020-07-18 09:07:17,',
    ',2,2020-07-18 09:07:17,a',
  ])('are not guessed from %j', (line) => expect(() => parsePoint(line, 7)).toThrow('line 7'));

  it('fail where the file is no xz file, or is missing', async () => {
    const path = await compressed('x');
    await writeFile(path, 'plain text');
    await expect(readTaxiPoints(path)).rejects.toThrow('xz could not read');
    await expect(readTaxiPoints(`${path}.missing`)).rejects.toThrow('xz could not read');
  });
});
