import { type Code, type Feature, featureNames, features, meanings } from './codes.js';
import type { FaultResult } from './run-fault.js';

const cellWidth = 11;

/** One line of the matrix: what was seen, with `*` where it differs from what is expected. */
export function matrixLine({ fault, notRun, sightings, differences }: FaultResult): string {
  const head = `${fault.id.padEnd(5)}${fault.title.slice(0, 27).padEnd(28)}`;
  if (sightings === undefined) return `${head}not run: ${notRun ?? 'it could not be run'}`;
  const cells = featureNames.map((feature) => {
    if (fault.expected[feature] === undefined) return '-'.padEnd(cellWidth);
    const mark = differs(differences, feature) ? '*' : '';
    return `${mark}${seenText(sightings.seen(feature, 'during'), sightings.seen(feature, 'after'))}`.padEnd(cellWidth);
  });
  return `${head}${cells.join(' ')}`.trimEnd();
}

/** The first line of the matrix. */
export function matrixHead(): string {
  return `${''.padEnd(33)}${featureNames.map((name) => `${name} ${features[name]}`.padEnd(cellWidth)).join(' ')}`.trimEnd();
}

/** What was measured and what differs, one line each. */
export function detailLines({ fault, sightings, differences, noticedMs, backMs }: FaultResult): string[] {
  const times = [
    noticedMs === undefined ? undefined : `noticed after ${Math.round(noticedMs)} ms`,
    backMs === undefined ? undefined : `back after ${Math.round(backMs)} ms`,
    noticedMs === undefined || sightings === undefined
      ? undefined
      : `away p99 ${quantile(sightings.awayMs).toFixed(1)} ms`,
  ].filter((text) => text !== undefined);
  const lines = differences.map((line) => `     * ${fault.id} ${line}${expectedText(fault.expected, line)}`);
  return times.length === 0 ? lines : [`       ${times.join(', ')}`, ...lines];
}

/** The page that the matrix is written to. */
export function page(results: readonly FaultResult[]): string {
  const rows = results.map((result) => `| ${[rowHead(result), ...pageCells(result)].join(' | ')} |`);
  const legend = (Object.keys(meanings) as Code[])
    .filter((code) => code !== '!!')
    .map((code) => `| ${code} | ${meanings[code]} |`);
  const open = results.flatMap(({ fault, differences }) => differences.map((line) => `- ${fault.id} ${line}`));
  const hows = results.map(
    ({ fault, notRun }) => `| ${fault.id} | ${fault.how}${notRun === undefined ? '' : `; not run: ${notRun}`} |`,
  );
  return [
    pageHead,
    `| fault | ${featureNames.map((name) => features[name]).join(' | ')} |`,
    `| --- |${' --- |'.repeat(featureNames.length)}`,
    ...rows,
    '',
    '## What differs',
    '',
    ...(open.length === 0 ? ['Nothing.'] : open),
    '',
    '## The codes',
    '',
    '| code | what is seen |',
    '| --- | --- |',
    ...legend,
    '',
    '## How each fault is made',
    '',
    '| fault | how |',
    '| --- | --- |',
    ...hows,
    '',
  ].join('\n');
}

const pageHead = `# Faults

\`npm run test:faults\` brings each of these faults upon real servers while every feature is in use, and compares what is seen with what is
promised. \`npm run test:faults -- F04 F09\` runs some of them; \`npm run test:faults -- --write\` runs all and writes this page.

In a cell stands what may be seen while the fault lasts and, after the arrow, afterwards. **Bold** is what was seen in the last run where it
differs. In all of them every call must settle by its deadline and 50 ms (500 ms, a cache 100 ms; time for which the event loop stood still is
taken off), no promise may be rejected unheard, and no password, token or value may stand in an error or a log line.
`;

function rowHead({ fault }: FaultResult): string {
  return `${fault.id} ${fault.title}`;
}

function pageCells({ fault, sightings, notRun, differences }: FaultResult): string[] {
  return featureNames.map((feature) => {
    const expected = fault.expected[feature];
    if (expected === undefined) return '-';
    const text = expected.replace('>', '→');
    if (notRun !== undefined) return `${text} (not run)`;
    if (!differs(differences, feature) || sightings === undefined) return text;
    return `${text} **${seenText(sightings.seen(feature, 'during'), sightings.seen(feature, 'after'))}**`;
  });
}

function seenText(during: readonly Code[], after: readonly Code[]): string {
  return after.length === 0 ? during.join(' ') : `${during.join(' ')}>${after.join(' ')}`;
}

function differs(differences: readonly string[], feature: Feature): boolean {
  return differences.some((line) => line.startsWith(`${feature}:`));
}

function expectedText(expected: Readonly<Partial<Record<string, string>>>, line: string): string {
  const text = expected[line.slice(0, 2)];
  return text === undefined || line[2] !== ':' ? '' : ` (expected ${text})`;
}

function quantile(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.99)] ?? 0;
}
