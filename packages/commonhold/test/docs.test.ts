import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useServer } from './engines.js';

const packageRoot = join(import.meta.dirname, '..');
const root = join(packageRoot, '../..');
const run = promisify(execFile);
const exampleNodes = /redis:\/\/10\.0\.0\.\d:6379/g;
const compilerOptions = {
  composite: false,
  incremental: false,
  declaration: false,
  isolatedDeclarations: false,
  sourceMap: false,
  rootDir: '.',
};

/** The world outside answers {}. Ends when the last program has run, although some keep serving; what fails behind its back counts too. */
const runner = `
import process from 'node:process';
globalThis.fetch = async () => Response.json({});
const failed = [];
let current = '';
process.on('unhandledRejection', (error) => failed.push(current + ': ' + (error?.stack ?? error)));
for (current of process.argv.slice(2)) {
  try {
    await import('./' + current);
  } catch (error) {
    failed.push(current + ': ' + (error?.stack ?? error));
  }
}
setTimeout(() => {
  for (const line of failed) console.error(line);
  process.exit(failed.length);
}, 100);
`;

describe('the programs of the pages in docs', () => {
  const server = useServer();
  const node = useServer({ cluster: true });
  let directory = '';
  const programs: string[] = [];

  beforeAll(async () => {
    // Inside the package, so that its own name resolves to what was built.
    directory = await mkdtemp(join(packageRoot, 'dist', 'docs-'));
    await writeFile(join(directory, 'runner.mjs'), runner);
    const files = await readdir(join(root, 'docs'), { recursive: true });
    for (const page of files.filter((file) => file.endsWith('.md'))) await extract(join('docs', page));
    await compile();
  }, 60_000);
  afterAll(() => rm(directory, { recursive: true }));

  // A program without imports goes on where the one before it on the page ended.
  async function extract(page: string): Promise<void> {
    const text = await readFile(join(root, page), 'utf8');
    const found: { language: string; source: string }[] = [];
    for (const [, language = '', program = ''] of text.matchAll(/```([tj])s\n(.*?)```/gs)) {
      const before = found.at(-1);
      if (before !== undefined && !program.includes('import ')) before.source += program;
      else found.push({ language, source: program });
    }
    for (const [index, { language, source }] of found.entries()) {
      const name = `${basename(page, '.md')}-${index + 1}`;
      const file = join(directory, `${name}.${language === 't' ? 'mts' : 'mjs'}`);
      await writeFile(file, source.replace(exampleNodes, node().url));
      programs.push(`${name}.mjs`);
    }
  }

  async function compile(): Promise<void> {
    const config = { extends: '../../../../tsconfig.base.json', compilerOptions, include: ['*.mts'] };
    await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(config));
    await run(join(root, 'node_modules/.bin/tsc'), ['-p', directory]).catch((error: unknown) => {
      throw new Error(`a program in docs does not compile:\n${(error as { stdout: string }).stdout}`);
    });
  }

  async function runAll(environment: Record<string, string>): Promise<void> {
    const { PATH = '' } = process.env;
    const env = { PATH, PORT: '0', ...environment };
    await run(process.execPath, ['runner.mjs', ...programs], { cwd: directory, env, timeout: 60_000 });
  }

  it('are found: one at least on each page of a feature', () => {
    expect(programs.length).toBeGreaterThan(15);
  });

  it('run in memory', () => runAll({}), 60_000);

  it('run on Redis', () => runAll({ REDIS_URL: server().url }), 60_000);
});
