import { spawnSync } from 'node:child_process';
import { appendFile, chmod, readdir, readFile, readlink, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { AdoptedJournal } from '../../../src/backend/resilient/adopted-journal.js';
import { JournalFolder } from '../../../src/backend/resilient/journal-folder.js';
import { systemRandom } from '../../../src/random.js';
import { createManualClock } from '../../../src/testing/manual-clock.js';
import { eventually } from '../../../src/testing/waiting.js';
import { createFile, textsOf, useFolder } from './journals.js';

interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: object;
}

const folder = useFolder();
const opened: JournalFolder[] = [];
const lines: Line[] = [];
const clock = createManualClock(Date.now());
const host = hostname().replace(/[^A-Za-z0-9-]/g, '_');

afterEach(async () => {
  await Promise.all(opened.splice(0).map((journal) => journal.close()));
  lines.length = 0;
});

async function open(namespace = 'test'): Promise<JournalFolder> {
  const write = (level: string) => (fields: object, message: string) => void lines.push({ level, message, fields });
  const log = { info: write('info'), warn: write('warn'), error: write('error') };
  const file = join(folder(), 'app.journal');
  const journal = await JournalFolder.open({
    ...{ file, namespace, maxBytes: 1_000_000, clock, random: systemRandom, log },
  });
  opened.push(journal);
  return journal;
}

/** The id of a process that is no more. */
const deadPid = (): number => spawnSync('true').pid;
/** A file as a process of that id on this machine leaves it, holding `texts`. */
async function leave(texts: readonly string[], pid: number, itsHost = host): Promise<string> {
  const path = join(folder(), `app.journal.${systemRandom.bytes(6).toString('base64url')}.${pid}.${itsHost}`);
  const file = await createFile(path);
  await Promise.all(texts.map((text) => file.append(2, Buffer.from(text))));
  await file.close();
  return path;
}
async function allTexts(journal: JournalFolder): Promise<string[]> {
  return (await Promise.all(journal.sources.map(textsOf))).flat();
}

describe('the journal files of processes that share a folder', () => {
  it('are one for each, and no one waits for another', async () => {
    const [one, other] = await Promise.all([open(), open()]);
    await Promise.all([one.own.append(2, Buffer.from('one')), other.own.append(2, Buffer.from('other'))]);
    expect([await allTexts(one), await allTexts(other)]).toEqual([['one'], ['other']]);
    expect(await readdir(folder())).toHaveLength(2);
  });

  it('are taken over from a dead process at once, by one alone, and are gone when all is done with', async () => {
    await leave(['first', 'second'], deadPid());
    const [one, other] = await Promise.all([open(), open()]);
    const texts = [...(await allTexts(one)), ...(await allTexts(other))];
    expect(texts).toEqual(['first', 'second']);
    const [heir, idle] = one.numbers().entries > 0 ? [one, other] : [other, one];
    expect(heir.numbers()).toMatchObject({ entries: 2, lostBytes: 0 });
    expect(heir.numbers().oldestAtMs).toBeGreaterThan(Date.now() - 60_000);
    expect(idle.numbers()).toEqual({ entries: 0, bytes: 0, oldestAtMs: undefined, lostBytes: 0 });
    for (const source of heir.sources) source.forget([...source.records]);
    await eventually(async () => expect(await readdir(folder())).toHaveLength(2));
  });

  it('go from heir to heir until all is done with', async () => {
    await leave(['first', 'second'], deadPid());
    const heir = await open();
    const [source] = heir.sources;
    source?.forget([...source.records].slice(0, 1));
    await heir.close();
    expect((await readdir(folder())).join(' ')).toMatch(/^app\.journal\.[\w-]{8}\.0\.[\w-]+$/);
    expect(await allTexts(await open())).toEqual(['first', 'second']);
  });

  it('stay with a process that lives, and go when it was silent for 20 s', async () => {
    const path = await leave(['of a living one'], process.ppid);
    const far = await leave(['of another machine'], 1, 'elsewhere');
    const touch = async (): Promise<void> => {
      for (const each of [path, far]) await utimes(each, new Date(clock.now()), new Date(clock.now()));
    };
    await touch();
    const journal = await open();
    let adopted = 0;
    journal.onAdopted = () => adopted++;
    expect(await allTexts(journal)).toEqual([]);
    for (let beat = 0; beat < 6; beat++) {
      const { mtimeMs: before } = await stat(journal.own.path);
      await eventually(async () => {
        await clock.advance(1_000);
        await touch();
        expect((await stat(journal.own.path)).mtimeMs).toBeGreaterThan(before);
      });
    }
    expect(await allTexts(journal)).toEqual([]);
    await eventually(async () => {
      await clock.advance(5_000);
      expect((await allTexts(journal)).toSorted()).toEqual(['of a living one', 'of another machine']);
    });
    expect(adopted).toBeGreaterThan(0);
  });

  it('that were being written anew when their process was killed leave nothing behind', async () => {
    const path = await leave(['first', 'second'], deadPid());
    const bytes = await readFile(path);
    await writeFile(`${path}.new`, bytes.subarray(0, -20));
    await writeFile(join(folder(), `app.journal.cccccccc.${deadPid()}.${host}.new`), '');
    const living = join(folder(), `app.journal.dddddddd.${process.ppid}.${host}.new`);
    await writeFile(living, bytes);
    await utimes(living, new Date(clock.now()), new Date(clock.now()));
    const journal = await open();
    expect(await allTexts(journal)).toEqual(['first', 'second']);
    expect(journal.numbers().lostBytes).toBe(0);
    const names = await readdir(folder());
    expect(names.filter((name) => name.endsWith('.new')).map((name) => join(folder(), name))).toEqual([living]);
    expect(names).toHaveLength(3);
  });

  it('of a newer form, of another namespace, and those that are none stay untouched', async () => {
    const newer = await leave([], deadPid()).then(() => join(folder(), `app.journal.aaaaaaaa.${deadPid()}.${host}`));
    const none = join(folder(), `app.journal.bbbbbbbb.${deadPid()}.${host}`);
    await writeFile(newer, '{"journal":"commonhold","form":2,"else":true}\nbytes');
    await writeFile(none, 'something else');
    await writeFile(join(folder(), 'app.journal.txt'), 'a neighbour');
    const foreign = await leave(['foreign'], deadPid());
    const journal = await open('other');
    expect(await allTexts(journal)).toEqual([]);
    expect(await readFile(newer, 'utf8')).toBe('{"journal":"commonhold","form":2,"else":true}\nbytes');
    expect(await readFile(none, 'utf8')).toBe('something else');
    expect((await stat(foreign)).size).toBeGreaterThan(100);
    expect(lines.map(({ level, message }) => `${level} ${message}`).toSorted()).toEqual([
      'error a journal file cannot be read, and is left as it is',
      'error a journal file has no beginning, and is left as it is',
    ]);
    expect(JSON.stringify(lines)).toContain('UnknownForm');
  });

  it('that end in the middle of a record lose that one, with a line in the log and a count', async () => {
    const path = await leave(['first', 'second'], deadPid());
    await appendFile(path, (await readFile(path)).subarray(-20));
    const journal = await open();
    expect(await allTexts(journal)).toEqual(['first', 'second']);
    expect(journal.numbers().lostBytes).toBe(20);
    expect(lines).toContainEqual({
      level: 'warn',
      message: 'the end of a journal file is torn, and left out',
      fields: { file: expect.stringContaining('app.journal.') as string, bytes: 20 },
    });
  });

  it('that cannot be read are let go of', async () => {
    const path = join(folder(), 'other form');
    await writeFile(path, '{"journal":"commonhold","form":2,"else":true}\nbytes');
    await expect(AdoptedJournal.open(path)).rejects.toMatchObject({ code: 'UnknownForm' });
    const held = (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''));
    expect(await Promise.all(held)).not.toContain(path);
  });

  it('that are damaged lose what was damaged alone, and stay for people to look at', async () => {
    const path = await leave(['first', 'second', 'third'], deadPid());
    const bytes = await readFile(path);
    bytes[bytes.indexOf('second')] = 0;
    await writeFile(path, bytes);
    const journal = await open();
    expect(await allTexts(journal)).toEqual(['first', 'third']);
    expect(journal.numbers().lostBytes).toBe(31);
    expect(lines.map(({ level }) => level)).toContain('error');
    for (const source of journal.sources) source.forget([...source.records]);
    await eventually(async () => expect((await readdir(folder())).join(' ')).toMatch(/\.damaged/));
    const [kept = ''] = (await readdir(folder())).filter((name) => name.endsWith('.damaged'));
    expect(await readFile(join(folder(), kept))).toEqual(bytes);
  });
});

describe('where no journal file can be written', () => {
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const refusal = (file: string): Promise<unknown> =>
    JournalFolder.open({ file, namespace: 'test', maxBytes: 1, clock, random: systemRandom, log }).catch(
      (error: unknown) => error,
    );

  it.each([
    ['ENOENT', () => join(folder(), 'absent', 'journal')],
    ['ENOENT', () => '/proc/journal'],
  ])('says so at once, naming the file and %s', async (code, file) => {
    expect(await refusal(file())).toMatchObject({
      code: 'InvalidArgument',
      message: `journal.file ${file()}: expected a path in a folder that this process may write to, received "${code}"`,
    });
  });

  it('says so to a process that may not write there', async () => {
    const file = join(folder(), 'journal');
    await chmod(folder(), 0o500);
    // The superuser may write everywhere.
    const isSuperuser = process.getuid?.() === 0;
    if (isSuperuser) process.seteuid?.(65_534);
    const error = await refusal(file).finally(() => void (isSuperuser && process.seteuid?.(0)));
    await chmod(folder(), 0o700);
    expect(error).toMatchObject({ code: 'InvalidArgument', message: /journal:.*"EACCES"$/ });
    expect(String(error)).toContain(file);
  });
});
