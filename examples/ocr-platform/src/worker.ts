/** `npm run worker -w examples/ocr-platform`: reads files for the web processes, and serves nothing itself. */
import { StartError } from '@commonhold/server';
import { isCommonholdError } from 'commonhold';
import { runWorker } from './tasks/run-worker.js';

try {
  const worker = await runWorker(process.env);
  process.stderr.write(`Reading up to ${worker.workers} at a time of the files in ${worker.dataDirectory}\n`);
  const stop = (): void => {
    // A second signal ends the process at once; what it held is taken over by others.
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.removeAllListeners(signal);
    worker.close().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`Stopped badly: ${String(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
} catch (error) {
  const isExplained = error instanceof StartError || isCommonholdError(error);
  process.stderr.write(`${isExplained ? error.message : String((error as Error).stack ?? error)}\n`);
  process.exitCode = 1;
}
