/**
 * Runs the simulated protocols over many seeds, and with each planted bug, and prints what came of it. With a protocol and
 * a seed it prints what happens in that one run: `npm run test:simulation -- lock 27`; with a planted bug's number behind
 * them, what happens with that bug. `npm run test:simulation -- --bugs` runs the planted bugs alone.
 */
import process from 'node:process';

process.env.DEEP = '1';
process.env.COMMONHOLD_SIMULATION_SEEDS ??= '1000';
const given = process.argv.slice(2);
const onlyBugs = given.includes('--bugs');
process.env.COMMONHOLD_SIMULATE = onlyBugs ? '' : given.join(' ');
process.argv = [...process.argv.slice(0, 2), '--project=deep', 'test/simulation/'];
if (onlyBugs) process.argv.push('-t', 'caught:');
await import('./test.mjs');
