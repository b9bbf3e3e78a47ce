import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useServer } from './engines.js';

const packageRoot = join(import.meta.dirname, '..');
const run = promisify(execFile);

/** The programs that a page shows, in order. */
async function programsOf(page: string): Promise<string[]> {
  const text = await readFile(join(packageRoot, page), 'utf8');
  return [...text.matchAll(/```js\n(.*?)```/gs)].map(([, program = '']) => program);
}

/** Before Node 24 `await using` is written out, as the page says. */
function forThisNode(program: string): string {
  if (Number(process.versions.node.split('.')[0]) >= 24) return program;
  return program.includes('await using ')
    ? `${program.replace('await using ', 'const ')}\nawait state.close();\n`
    : program;
}

describe('the programs of the READMEs', () => {
  const server = useServer();
  let directory = '';
  beforeAll(async () => {
    // Inside the package, so that its own name resolves to what was built.
    directory = await mkdtemp(join(packageRoot, 'dist', 'readme-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  async function output(program: string, environment: Record<string, string>): Promise<string> {
    const file = join(directory, 'program.mjs');
    await writeFile(file, forThisNode(program));
    const { PATH = '' } = process.env;
    return (await run(process.execPath, [file], { env: { PATH, ...environment }, timeout: 15_000 })).stdout.trim();
  }

  const pages = [
    ['../../README.md', ['Home 4 ada@example.org', "[ 'rose' ] two 1"]],
    ['README.md', ['1']],
  ] as const;

  for (const [page, printed] of pages) {
    it(`${page}: in memory and on Redis`, async () => {
      const programs = await programsOf(page);
      expect(programs.length).toBe(printed.length);
      for (const [index, program] of programs.entries()) {
        expect(await output(program, {})).toBe(printed[index]);
        expect(await output(program, { REDIS_URL: server().url })).toBe(printed[index]);
      }
    });
  }
});
