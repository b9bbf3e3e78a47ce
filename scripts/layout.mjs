/** Prints everything in the source that breaks a rule of the house, one line each, and fails when there is any. */
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { guards } from './guards/index.mjs';
import { readTree } from './guards/source-file.mjs';

const files = readTree(fileURLToPath(new URL('..', import.meta.url)));
const violations = guards.flatMap((guard) => guard(files));
for (const { path, line, message } of violations) console.log(`${path}:${line}: ${message}`);
process.exitCode = violations.length === 0 ? 0 : 1;
