/** As test.mjs, for the tests that take minutes: files named `*.deep.test.ts`. */
import process from 'node:process';

process.env.DEEP = '1';
await import('./test.mjs');
