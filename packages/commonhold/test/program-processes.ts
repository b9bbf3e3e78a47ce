import { type ChildProcess, execFile, fork } from 'node:child_process';
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll } from 'vitest';

/**
 * Starts processes of `program`, a module beside the library's `index.js` and `adapters/`; they end with the tests. The
 * library is compiled anew, since a program of its own cannot load TypeScript, and dist may be old.
 */
export function useProgram(program: string): (...args: readonly string[]) => ChildProcess {
  const started: ChildProcess[] = [];
  let build: string;
  beforeAll(async () => {
    build = await compile(program);
  }, 60_000);
  afterAll(async () => {
    for (const child of started) child.kill('SIGKILL');
    await rm(build, { recursive: true });
  });
  return (...args) => {
    const child = fork(join(build, 'program.js'), args, { execArgv: [] });
    started.push(child);
    return child;
  };
}

async function compile(program: string): Promise<string> {
  const build = await mkdtemp(join(tmpdir(), 'commonhold-program-'));
  const root = join(import.meta.dirname, '../../..');
  const source = join(import.meta.dirname, '../src');
  const options = ['--module', 'nodenext', '--target', 'es2023', '--types', 'node', '--noCheck', '--ignoreConfig'];
  await promisify(execFile)(join(root, 'node_modules/.bin/tsc'), [
    ...options,
    ...['--rootDir', source, '--outDir', build, join(source, 'index.ts'), join(source, 'adapters/http.ts')],
    join(source, 'backend/resilient/journal-folder.ts'),
  ]);
  // Scripts are read from beside the compiled files.
  await cp(source, build, { recursive: true, filter: (path) => !path.endsWith('.ts') });
  await symlink(join(root, 'node_modules'), join(build, 'node_modules'));
  await writeFile(join(build, 'package.json'), '{"type":"module"}');
  await writeFile(join(build, 'program.js'), program);
  return build;
}
