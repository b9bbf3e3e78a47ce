/** Runs vitest with the arguments given and ends with one plain line: `N passed, N failed`. */
import process from 'node:process';
import { parseCLI, startVitest } from 'vitest/node';
import { closingLine, count, succeeded } from './test-count.mjs';

async function run() {
  const { filter, options } = parseCLI(['vitest', 'run', ...process.argv.slice(2)]);
  const vitest = await startVitest('test', filter, options);
  return count(vitest.state.getTestModules(), vitest.state.getUnhandledErrors());
}

let counts = { passed: 0, failed: 0, skipped: 0 };
try {
  counts = await run();
} catch (error) {
  console.error(error);
}
if (!succeeded(counts, Boolean(process.env.CI))) process.exitCode = 1;
console.log(closingLine(counts));
process.exit();
