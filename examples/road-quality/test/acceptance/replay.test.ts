import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ask } from '../client.js';
import { startRoad } from '../place.js';

const program = join(import.meta.dirname, '../../dist/replay.js');
const points = [
  'longitude,latitude,timestamp,name_id',
  '77.2079,28.7037,2020-07-18 09:00:00,a',
  '10.40744,57.64911,2020-07-18 09:00:00,b',
  '77.2079,28.7037,2020-07-18 09:00:30,b',
  '',
];

describe('the replay', () => {
  it('S3.9: drives the taxis of a file on several servers, and leaves them where they were last', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'commonhold-road-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    await writeFile(join(directory, 'taxis.csv'), points.join('\n'));
    expect(spawnSync('xz', [join(directory, 'taxis.csv')]).status).toBe(0);
    const { base } = await startRoad();
    const child = spawn(process.execPath, [program, join(directory, 'taxis.csv.xz'), base, base]);
    onTestFinished(() => void child.kill('SIGKILL'));
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    await expect.poll(() => said, { timeout: 15_000 }).toContain('all 3 moves made');
    expect(said).toContain('2 taxis, 3 points');
    const { json } = await ask(`${base}/regions/ttngkc/members`);
    const users = (json['members'] as { userId: string }[]).map(({ userId }) => userId);
    expect(users.toSorted()).toEqual(['taxi-a', 'taxi-b']);
    child.kill('SIGTERM');
    await once(child, 'exit');
    const left = async (): Promise<unknown> => (await ask(`${base}/regions/ttngkc/members`)).json['members'];
    await expect.poll(left).toEqual([]);
  });

  it('says what is missing', () => {
    const { status, stderr } = spawnSync(process.execPath, [program, '/nowhere/taxis.csv.xz'], { encoding: 'utf8' });
    expect(status).not.toBe(0);
    expect(stderr).toContain('/nowhere/taxis.csv.xz is missing');
  });
});
