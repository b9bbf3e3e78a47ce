import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { startAudio } from '../audio.js';
import { ownRedis } from '../homes.js';

const program = fileURLToPath(new URL('../../dist/replay.js', import.meta.url));
const repository = fileURLToPath(new URL('../../../../', import.meta.url));

async function replay(...bases: string[]): Promise<string> {
  const { PATH = '' } = process.env;
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...bases], {
    cwd: repository,
    env: { PATH },
  });
  return stdout;
}

describe('the replay of real speech', () => {
  const redis = ownRedis();

  it('holds in this process alone', async () => {
    const output = await replay();
    expect(output).toMatch(
      /^One container in this process, in memory\.\n(Right: .*\n){4}Track [0-9a-f]{64}: 11\.088 s in 3 segments by /,
    );
  });

  it('holds over two containers', async () => {
    const redisUrl = await redis.url();
    const one = await startAudio({ redisUrl });
    const two = await startAudio({ redisUrl, dataDirectory: one.dataDirectory });
    expect(await replay(one.url, two.url)).toMatch(/^(Right: .*\n){4}Track [0-9a-f]{64}: 11\.088 s in 6 segments by /);
  });
});
