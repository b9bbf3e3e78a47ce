/** As test.mjs, for the tests that take minutes: files named `*.deep.test.ts`, and each model check with more steps. */
import process from 'node:process';

process.env.DEEP = '1';
process.env.COMMONHOLD_MODEL_STEPS ??= '60000';
await import('./test.mjs');
