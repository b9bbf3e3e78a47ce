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
  /** Whether `npm test` plants it too: a few, whose tests take milliseconds. */
  readonly always?: true;
}

const file = 'backend/resilient/journal-file.test.ts';
const folder = 'backend/resilient/journal-folder.test.ts';
const spool = 'queue/away-spool.test.ts';

/** The bugs that the tests of the journal file, and of jobs in it, must notice. */
export const spoolBugs: readonly SourceBug[] = [
  {
    name: 'a job is answered before it is on disk',
    source: 'backend/resilient/journal-file.ts',
    find: 'if (group.length > 0) await this.#sync();',
    replace: '',
    test: file,
    noticedBy: 'writes and syncs once for all appends of a turn, before any is answered',
    always: true,
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
    always: true,
  },
  {
    name: 'what was half written when its process was killed stays for good',
    source: 'backend/resilient/journal-folder.ts',
    find: '(?:\\.new)?$/.exec',
    replace: '$/.exec',
    test: folder,
    noticedBy: 'that were being written anew when their process was killed leave nothing behind',
  },
  {
    name: 'a file that cannot be read is held open',
    source: 'backend/resilient/adopted-journal.ts',
    find: 'if (journal === undefined) await handle.close();',
    replace: '',
    test: folder,
    noticedBy: 'that cannot be read are let go of',
  },
  {
    name: 'adding waits for the disk however long that takes',
    source: 'queue/away-spool.ts',
    find: 'for (let part = 0;',
    replace: 'await written;\n    for (let part = 0;',
    test: spool,
    noticedBy: 'are brought when the disk took them too late for an answer',
  },
  {
    name: 'closing waits for the disk however long that takes',
    source: 'queue/away-spool.ts',
    find: 'if (await withinGrace(clock, this.#closeFiles())) return;',
    replace: 'return this.#closeFiles();',
    test: spool,
    noticedBy: 'are answered in time, and the state closes, where the disk does not answer',
  },
  {
    name: 'while one part of a store is away, the others are not tried',
    source: 'queue/away-spool.ts',
    find: 'if (this.#closed) break;',
    replace: 'if (this.#closed || !this.#options.connected()) break;',
    test: spool,
    noticedBy: 'go to the part of a store that is there, while another is away, and that is asked now and then',
  },
  {
    name: 'a step overtakes one that was lost',
    source: 'queue/away-spool.ts',
    find: '        break;\n      }\n      done.push',
    replace: '        continue;\n      }\n      done.push',
    test: spool,
    noticedBy: 'are added in order, one step of a queue behind the other, also after one was lost',
  },
  {
    name: 'damage is no longer told of when the last job is gone',
    source: 'queue/away-spool.ts',
    find: 'if (entries === 0 && lostBytes === 0) return {};',
    replace: 'if (entries === 0) return {};',
    test: spool,
    noticedBy: 'say what was lost of others for as long as the process lives',
  },
  {
    name: 'a job loses its id on the way to Redis',
    source: 'queue/spool-record.ts',
    find: 'return { ...job, delayMs:',
    replace: 'return { ...job, id: undefined, delayMs:',
    test: 'queue/queue-away.test.ts',
    noticedBy: 'takes a job of which Redis may have heard, and runs it once',
  },
];
