/** A change to a module that a test must notice: what planted-bugs.test.ts does to scripts. */
export interface SourceBug {
  readonly name: string;
  /** Below `src/`. */
  readonly source: string;
  readonly find: string;
  readonly replace: string;
  /** The file, below `test/`, and the title of the test that is expected to notice. */
  readonly test: string;
  readonly noticedBy: string;
}

const file = 'backend/resilient/journal-file.test.ts';
const folder = 'backend/resilient/journal-folder.test.ts';

/** The bugs that the tests of the journal file, and of jobs in it, must notice. */
export const spoolBugs: readonly SourceBug[] = [
  {
    name: 'a job is answered before it is on disk',
    source: 'backend/resilient/journal-file.ts',
    find: 'if (group.length > 0) await this.#sync();',
    replace: '',
    test: file,
    noticedBy: 'writes and syncs once for all appends of a turn, before any is answered',
  },
  {
    name: 'what a failed sync may have lost is answered',
    source: 'backend/resilient/journal-file.ts',
    find: '      fail(error);\n    }\n  }\n\n  // Our name',
    replace: '    }\n  }\n\n  // Our name',
    test: file,
    noticedBy: 'refuses what it cannot sync, writes the rest anew, and does not bring the refused back',
  },
  {
    name: 'the file has no bound',
    source: 'backend/resilient/journal-file.ts',
    find: 'if (this.records.bytes + this.#waitingBytes + bytes.length > this.#options.maxBytes) {',
    replace: 'if (this.records.bytes < 0) {',
    test: file,
    noticedBy: 'takes no more than its bound, and again when there is room',
  },
  {
    name: 'a damaged record is taken for a good one',
    source: 'backend/resilient/journal-form.ts',
    find: 'if (record.readUInt32LE(8) !== checksum(record, seed)) return undefined;',
    replace: '',
    test: file,
    noticedBy: 'gives all records but the one that was damaged, whichever bit of it was, and says so',
  },
  {
    name: 'what is done with is there again',
    source: 'backend/resilient/journal-form.ts',
    find: 'if (next.kind === forgetting) forget(',
    replace: 'if (next.kind === forgetting) void (',
    test: file,
    noticedBy: 'stays small however much passes through it',
  },
  {
    name: 'the file of a dead process is taken by everybody',
    source: 'backend/resilient/journal-folder.ts',
    find: 'await rename(path, own);',
    replace: "await (await import('node:fs/promises')).copyFile(path, own);",
    test: folder,
    noticedBy: 'are taken over from a dead process at once, by one alone, and are gone when all is done with',
  },
  {
    name: 'a job loses its id on the way to Redis',
    source: 'queue/away-batch.ts',
    find: 'return { ...job, delayMs:',
    replace: 'return { ...job, id: undefined, delayMs:',
    test: 'queue/queue-away.test.ts',
    noticedBy: 'takes a job of which Redis may have heard, and runs it once',
  },
];
