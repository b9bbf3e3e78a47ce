import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { JournalFolder } from '../../../src/backend/resilient/journal-folder.js';
import { systemClock } from '../../../src/clock.js';
import { systemRandom } from '../../../src/random.js';
import { pause, waitUntil } from '../../../src/testing/waiting.js';
import { useProgram } from '../../program-processes.js';
import { textsOf, useFolder } from './journals.js';

/** Appends without end, telling what was acknowledged; with a bound on the size of files until one is refused, once more. */
const program = `
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { JournalFolder } from './backend/resilient/journal-folder.js';
import { systemClock as clock } from './clock.js';
import { systemRandom as random } from './random.js';
const [file, name, limit] = process.argv.slice(2);
if (limit === 'limited') {
  const command = 'ulimit -f 200; exec "$0" program.js "$1" "$2" inside';
  const { stdout } = spawnSync('sh', ['-c', command, process.execPath, file, name], { cwd: import.meta.dirname });
  process.send(String(stdout));
  process.exit();
}
const log = { info() {}, warn() {}, error() {} };
const journal = await JournalFolder.open({ file, namespace: 'test', maxBytes: 64_000_000, clock, random, log });
const append = (n) => journal.own.append(2, Buffer.from(name + ' ' + n + ' ' + 'x'.repeat(n % 700)));
if (limit === 'inside') {
  let taken = 0;
  const refused = async () => { for (;;) await append(taken).then(() => taken++); };
  const { code } = await refused().catch((error) => error);
  journal.own.forget([...journal.own.records].slice(-200));
  await append(0).catch(() => undefined);
  console.log(JSON.stringify({ code, taken, left: journal.numbers().entries }));
  await journal.close();
  process.exit();
}
let n = 0;
process.send('ready');
for (;;) {
  await Promise.all(Array.from({ length: 1 + (n % 7) }, () => {
    const own = n++;
    return append(own).then(() => process.send(name + ' ' + own));
  }));
}
`;

describe('a process with a journal file', () => {
  const run = useProgram(program);
  const folder = useFolder();
  const options = {
    namespace: 'test',
    maxBytes: 64_000_000,
    clock: systemClock,
    random: systemRandom,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  };

  it('is killed with -9 while it writes, and nothing that was acknowledged is missing or there twice', async () => {
    const file = join(folder(), 'journal');
    const acknowledged: string[] = [];
    for (let round = 0; round < 3; round++) {
      const child = run(file, `round${round}`, 'none');
      await once(child, 'message');
      child.on('message', (line) => void acknowledged.push(line as string));
      await waitUntil('records to be written', () => acknowledged.length > 20 * (round + 1), { timeoutMs: 20_000 });
      await pause(30 * round);
      child.kill('SIGKILL');
      await once(child, 'close');
    }
    const heir = await JournalFolder.open({ ...options, file });
    const texts = (await Promise.all(heir.sources.map(textsOf))).flat().map((text) => text.replace(/ x*$/, ''));
    expect(acknowledged.length).toBeGreaterThan(50);
    expect(new Set(texts).size).toBe(texts.length);
    expect(acknowledged.filter((text) => !texts.includes(text))).toEqual([]);
    expect(heir.numbers()).toMatchObject({ entries: texts.length });
    for (const source of heir.sources) source.forget([...source.records]);
    await heir.close();
    expect(await readdir(folder())).toEqual([]);
  });

  it('is refused what its file may not hold by the bounds of the system, and keeps the rest', async () => {
    expect(spawnSync('sh', ['-c', 'ulimit -f 200']).status).toBe(0);
    const child = run(join(folder(), 'journal'), 'bounded', 'limited');
    const [line] = (await once(child, 'message')) as [string];
    const { code, taken, left } = JSON.parse(line) as { code: string; taken: number; left: number };
    expect(code).toBe('Overloaded');
    expect(taken).toBeGreaterThan(150);
    const heir = await JournalFolder.open({ ...options, file: join(folder(), 'journal') });
    expect(heir.numbers()).toMatchObject({ entries: left, lostBytes: 0 });
    await heir.close();
  });
});
