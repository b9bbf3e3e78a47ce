/** Compares what each package says it exports with what the build wrote and npm would publish. */
import { readdirSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { problemsOf } from './package-exports.mjs';

const packages = fileURLToPath(new URL('../packages/', import.meta.url));
const problems = readdirSync(packages).flatMap((folder) => problemsOf(`${packages}${folder}`));
for (const problem of problems) console.log(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
