/**
 * `npm run replay -w examples/attendx [URL...]`: plays a morning against servers that run, by default
 * http://127.0.0.1:5000. `PEOPLE` and `STRANGERS` say how many come.
 */
import process from 'node:process';
import { replay } from './replay/morning.js';

const bases = process.argv.slice(2).map((url) => url.replace(/\/$/, ''));
const { PEOPLE = '25', STRANGERS = '5' } = process.env;

try {
  const report = await replay({
    bases: bases.length > 0 ? bases : ['http://127.0.0.1:5000'],
    people: Number(PEOPLE),
    strangers: Number(STRANGERS),
    say: (line) => console.log(line),
  });
  const { enrolled, recognised, mistaken, failed, similarity, medianMs } = report;
  console.log(`\n${recognised} of ${enrolled} recognised, ${mistaken} mistaken, ${failed} failed.`);
  console.log(`Mean similarity ${(similarity * 100).toFixed(1)} %, median answer in ${medianMs.toFixed(0)} ms.`);
  process.exitCode = failed === 0 ? 0 : 1;
} catch (error) {
  console.error(`The morning could not be played: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
