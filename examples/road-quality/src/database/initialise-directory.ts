import { once } from 'node:events';
import { rename, rm } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';

/** Text and not a file: a thread has no loader for TypeScript, which tests run from. */
const threadCode = `
  const { workerData } = require('node:worker_threads');
  import(workerData.module).then(async ({ PGlite }) => (await PGlite.create(workerData.directory)).close());
`;

/**
 * Makes the files of an embedded database, in a thread, since that takes seconds in which the event loop would stand still
 * and leases end. They get their name when they are complete: a process that is killed meanwhile leaves no half database.
 */
export async function initialiseDirectory(directory: string): Promise<void> {
  const fresh = `${directory}.new`;
  await rm(fresh, { recursive: true, force: true });
  const workerData = { directory: fresh, module: import.meta.resolve('@electric-sql/pglite') };
  // It rejects with the error that ends the thread.
  await once(new Worker(threadCode, { eval: true, workerData }), 'exit');
  await rename(fresh, directory);
}
