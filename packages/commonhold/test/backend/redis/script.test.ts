import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { loadScript, PreparedScript, serverTime, shareSlot } from '../../../src/backend/redis/script.js';
import { useServer } from '../../engines.js';

const server = useServer();
const timed = { name: 'test/now.lua', source: '-- says now\nreturn now' };

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((path) => rm(path, { recursive: true }))));

async function folder(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'commonhold-script-'));
  folders.push(root);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

describe('loadScript', () => {
  it('reads the file beside the module and names it after its feature', async () => {
    const root = await folder({ 'lock/lua/acquire.lua': 'return 1\n' });
    const script = loadScript(pathToFileURL(join(root, 'lock/redis-lock.js')).href, 'acquire.lua');
    expect(script).toEqual({ name: 'lock/acquire.lua', source: 'return 1\n' });
  });

  it('puts included files in place, also of other folders, and leaves replacement patterns alone', async () => {
    const root = await folder({
      'a/lua/main.lua': "-- include part.lua\n-- include ../../b/lua/other.lua\nreturn '$&'\n",
      'a/lua/part.lua': "local part = '$1'\n",
      'b/lua/other.lua': 'local other = 2\n',
    });
    const { source } = loadScript(pathToFileURL(join(root, 'a/redis-a.js')).href, 'main.lua');
    expect(source).toBe("local part = '$1'\nlocal other = 2\nreturn '$&'\n");
  });
});

describe('PreparedScript', () => {
  it('gives the time of the server to scripts that read now, and costs the others nothing', async () => {
    const script = new PreparedScript(timed, serverTime);
    const [seconds] = (await server().command('TIME')) as [string];
    const now = Number(await server().command('EVAL', script.text, ...script.words([], []).slice(2)));
    expect(Math.abs(now - Number(seconds) * 1_000)).toBeLessThan(3_000);
    const plain = new PreparedScript({ name: 'test/plain.lua', source: '-- now and then\nreturn 1' }, serverTime);
    expect(plain.text).toBe('-- now and then\nreturn 1');
  });

  it('has the hash that the server gives it', async () => {
    const script = new PreparedScript(timed, serverTime);
    expect(script.hash).toBe(createHash('sha1').update(script.text).digest('hex'));
    expect(await server().command('SCRIPT', 'LOAD', script.text)).toBe(script.hash);
  });

  it('adds the argument of a moved time behind the others, and only where it is read', () => {
    const time = { prelude: 'local now = tonumber(table.remove(ARGV))\n', argument: () => '42' };
    expect(new PreparedScript(timed, time).words(['k'], ['a']).slice(2)).toEqual(['1', 'k', 'a', '42']);
    expect(new PreparedScript({ name: 'x', source: 'return 1' }, time).words(['k', 'l'], []).slice(2)).toEqual([
      '2',
      'k',
      'l',
    ]);
  });
});

describe('shareSlot', () => {
  it.each([
    [[], true],
    [['a'], true],
    [['a', 'a'], true],
    [['a', 'b'], false],
    [['x:{t}:1', 'y:{t}:2'], true],
    [['{t}', '{u}'], false],
    [['{}a', '{}b'], false],
  ])('of %j is %s', (keys, expected) => {
    expect(shareSlot(keys)).toBe(expected);
  });
});
