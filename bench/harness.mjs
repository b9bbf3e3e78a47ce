import { best, meets, summarize } from './statistics.mjs';

/** @typedef {import('./statistics.mjs').Summary} Summary */
/** @typedef {import('./arguments.mjs').BenchArguments} BenchArguments */

/**
 * Something that a line measures: what `open` of a contestant resolved to. Which members there are is between the
 * workload and its lines, but for `close`.
 * @typedef {{ close?: () => unknown, [member: string]: any }} Subject
 */

/**
 * Where contestants do their work.
 * @typedef {object} Place
 * @property {string} url of an own Redis
 * @property {(...words: (string | number)[]) => Promise<unknown>} command sends it one command
 * @property {BenchArguments} args
 * @property {Spent | undefined} [spent] what one operation of the last sample took, where it was metered
 */

/**
 * One row: how to take a sample of a subject, and the ratio of ours to the best peer that is wanted.
 * @typedef {object} Line
 * @property {string} title
 * @property {string} unit
 * @property {string} goal such as `>= 2.2`
 * @property {string[]} [against] the peers it is measured against; all of them if absent, our own figure alone if empty
 * @property {boolean} [long] only without `--quick`
 * @property {(subject: any, place: Place) => Promise<number>} sample
 */

/**
 * One folder entry of workloads/: lines that share their subjects. `tuned` are peers as their manuals do not ship them;
 * they are shown and are no goal.
 * @typedef {object} Workload
 * @property {string} title
 * @property {Line[]} lines
 * @property {Record<string, (place: Place) => Promise<Subject>>} ours the first is the one that goals are for
 * @property {Record<string, (place: Place) => Promise<Subject>>} peers as shipped
 * @property {Record<string, (place: Place) => Promise<Subject>>} [tuned]
 */

/** @typedef {{ hereUs: number, redisUs: number }} Spent microseconds of processor time, in this process and in Redis */
/** @typedef {'ours' | 'peer' | 'tuned'} Kind */
/** @typedef {{ name: string, kind: Kind, summary: Summary, spent?: Spent }} Result */

/**
 * What a line came to.
 * @typedef {object} Outcome
 * @property {string} title
 * @property {string} unit
 * @property {string} goal
 * @property {Result[]} results
 * @property {number} ratio of ours to the best peer, or our own figure where there is none
 * @property {string | undefined} bestPeer
 * @property {boolean} met
 */

/**
 * @param {Workload} workload
 * @param {BenchArguments} args
 * @returns {Line[]}
 */
export function wantedLines({ title, lines }, { quick, only }) {
  return lines.filter((line) => !(quick && line.long) && `${title}, ${line.title}`.toLowerCase().includes(only));
}

/**
 * Opens every contestant once, then takes samples in turn, A B C A B C, after a round that only warms up: what slows the
 * machine for a while slows all alike.
 * @param {Workload} workload
 * @param {Place} place
 * @returns {AsyncGenerator<Outcome>}
 */
export async function* measure(workload, place) {
  const lines = wantedLines(workload, place.args);
  if (lines.length === 0) return;
  const contestants = await open(workload, place);
  try {
    for (const line of lines) yield await measureLine(workload, line, contestants, place);
  } finally {
    for (const { subject } of contestants) await subject.close?.();
  }
}

async function open(/** @type {Workload} */ { ours, peers, tuned = {} }, /** @type {Place} */ place) {
  const entries = [
    ...Object.entries(ours).map(([name, start]) => ({ name, kind: /** @type {Kind} */ ('ours'), start })),
    ...Object.entries(peers).map(([name, start]) => ({ name, kind: /** @type {Kind} */ ('peer'), start })),
    ...Object.entries(tuned).map(([name, start]) => ({ name, kind: /** @type {Kind} */ ('tuned'), start })),
  ];
  const contestants = [];
  for (const { name, kind, start } of entries) contestants.push({ name, kind, subject: await start(place) });
  return contestants;
}

async function measureLine(
  /** @type {Workload} */ workload,
  /** @type {Line} */ line,
  /** @type {{ name: string, kind: Kind, subject: Subject }[]} */ contestants,
  /** @type {Place} */ place,
) {
  const { against } = line;
  const racing = contestants.filter(({ name, kind }) => kind === 'ours' || (against?.includes(name) ?? true));
  /** @type {number[][]} */
  const samples = racing.map(() => []);
  /** @type {Spent[][]} */
  const spent = racing.map(() => []);
  for (let round = -1; round < place.args.rounds; round++) {
    for (const [index, { subject }] of racing.entries()) {
      place.spent = undefined;
      const sample = await line.sample(subject, place);
      if (round < 0) continue;
      samples[index]?.push(sample);
      if (place.spent !== undefined) spent[index]?.push(place.spent);
    }
  }
  const results = racing.map(({ name, kind }, index) => ({
    name,
    kind,
    summary: summarize(samples[index] ?? []),
    ...medianSpent(spent[index] ?? []),
  }));
  return judge(`${workload.title}, ${line.title}`, line, results);
}

function medianSpent(/** @type {Spent[]} */ all) {
  if (all.length === 0) return {};
  const median = (/** @type {keyof Spent} */ part) => summarize(all.map((spent) => spent[part])).median;
  return { spent: { hereUs: median('hereUs'), redisUs: median('redisUs') } };
}

/**
 * @param {string} title
 * @param {Pick<Line, 'unit' | 'goal'>} line
 * @param {Result[]} results
 * @returns {Outcome}
 */
export function judge(title, { unit, goal }, results) {
  const ours = results.find(({ kind }) => kind === 'ours')?.summary.median ?? Number.NaN;
  const rival = best(
    results.filter(({ kind }) => kind === 'peer'),
    goal,
  );
  const ratio = rival === undefined ? ours : ours / rival.summary.median;
  return { title, unit, goal, results, ratio, bestPeer: rival?.name, met: meets(goal, ratio) };
}
