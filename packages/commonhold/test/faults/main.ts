import { writeFile } from 'node:fs/promises';
import { faults } from './fault-list.js';
import { detailLines, matrixHead, matrixLine, page } from './matrix.js';
import { type FaultResult, runFault } from './run-fault.js';

const words = process.argv.slice(2);
const path = process.env['FAULTS_PAGE'];
const wanted = words.filter((word) => !word.startsWith('-'));
const chosen = faults.filter(({ id }) => wanted.length === 0 || wanted.some((word) => id.startsWith(word)));
if (chosen.length === 0) throw new Error(`No fault is called ${wanted.join(' or ')}.`);

console.log(matrixHead());
const results: FaultResult[] = [];
for (const fault of chosen) {
  const result = await runFault(fault);
  results.push(result);
  console.log([matrixLine(result), ...detailLines(result)].join('\n'));
}
if (path !== undefined && words.includes('--write')) await writeFile(path, page(results));
const different = results.filter(({ differences }) => differences.length > 0).length;
const skipped = results.filter(({ notRun }) => notRun !== undefined).length;
console.log(`${results.length - different - skipped} as expected, ${different} different, ${skipped} not run`);
process.exit(different === 0 ? 0 : 1);
