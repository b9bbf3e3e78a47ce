import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SourceBug } from './planted-spool-bugs.js';

/** The part of vitest's report that is read. */
interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly title: string; readonly failureMessages: readonly string[] }[];
  }[];
}

const here = import.meta.dirname;

/** A copy of the library with the bug, and of the test, below `folder`. */
async function plant(folder: string, { source, find, replace, test }: SourceBug): Promise<void> {
  const filter = (path: string): boolean =>
    !path.endsWith('tsconfig.json') && (!path.endsWith('.test.ts') || path.endsWith(test));
  for (const part of ['src', 'test']) await cp(join(here, '..', part), join(folder, part), { recursive: true, filter });
  const path = join(folder, 'src', source);
  const good = await readFile(path, 'utf8');
  expect(good, source).toContain(find);
  await writeFile(
    path,
    good.replace(find, () => replace),
  );
}

/** One run for all, since most of the time is its start. */
async function runAll(root: string, bugs: readonly SourceBug[]): Promise<Report> {
  const files = bugs.map(({ test }, index) => join(String(index), 'test', test));
  const titles = bugs.map(({ noticedBy }) => noticedBy.replaceAll(/[^\w ,-]/g, '.'));
  const outputFile = join(root, 'report.json');
  const vitest = join(here, '../../../node_modules/vitest/vitest.mjs');
  const options = [
    '--root',
    root,
    '--reporter',
    'json',
    '--outputFile',
    outputFile,
    '--no-isolate',
    '--maxWorkers',
    '1',
  ];
  const pattern = ['--testTimeout', '60000', '--testNamePattern', `(${titles.join('|')})$`];
  // It ends with an error, as tests fail.
  await new Promise<void>((resolve) => {
    execFile(process.execPath, [vitest, 'run', ...options, ...pattern, ...files], { cwd: root }, () => resolve());
  });
  return JSON.parse(await readFile(outputFile, 'utf8')) as Report;
}

/** Declares, for each bug, a test that the test it names notices it. */
export function itNotices(bugs: readonly SourceBug[]): void {
  describe('planted bugs in modules', () => {
    let root: string;
    let report: Report;

    beforeAll(async () => {
      root = await realpath(await mkdtemp(join(tmpdir(), 'commonhold-planted-')));
      await symlink(join(here, '../../../node_modules'), join(root, 'node_modules'));
      await writeFile(join(root, 'package.json'), '{"type":"module"}');
      await Promise.all(bugs.map((bug, index) => plant(join(root, String(index)), bug)));
      report = await runAll(root, bugs);
    }, 400_000);
    afterAll(() => rm(root, { recursive: true, force: true }));

    it.each(bugs.map((bug, index) => [bug.name, bug, index] as const))(
      'noticed: %s',
      (_, { test, noticedBy }, index) => {
        const file = report.testResults.find(({ name }) => name === join(root, String(index), 'test', test));
        const found = file?.assertionResults.find(({ title }) => title === noticedBy);
        expect(found?.failureMessages[0]).toMatch(/^AssertionError: |^Error: promise resolved .* instead of rejecting/);
      },
    );
  });
}
