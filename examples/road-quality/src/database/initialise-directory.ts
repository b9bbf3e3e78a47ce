import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Text and not a file: Node would not run the TypeScript that tests run from. */
const program = `
  const [module, directory] = process.argv.slice(1);
  const { PGlite } = await import(module);
  await (await PGlite.create(directory)).close();
`;

/**
 * Makes the files of an embedded database unless they are there. That takes seconds and half a gigabyte, so another
 * process does it: this one's event loop goes on, its leases do not end, and its memory stays small. The files get their
 * name when they are complete, so that a kill meanwhile leaves no half database.
 *
 * @param signal ends it early; it then rejects.
 */
export async function initialiseDirectory(directory: string, signal: AbortSignal): Promise<void> {
  if (existsSync(join(directory, 'PG_VERSION'))) return;
  const fresh = `${directory}.new`;
  await rm(fresh, { recursive: true, force: true });
  const module = import.meta.resolve('@electric-sql/pglite');
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, module, fresh], {
    stdio: 'ignore',
    signal,
    killSignal: 'SIGKILL',
  });
  const [status] = (await once(child, 'close')) as [number | null];
  if (status !== 0) throw new Error(`The embedded database could not be made in ${directory}`);
  await rename(fresh, directory);
}
