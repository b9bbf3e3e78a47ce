import { inspect } from 'node:util';
import type { SharedState } from '../../src/shared-state.js';
import { pause } from '../../src/testing/waiting.js';
import { expectation, type Feature, featureNames } from './codes.js';
import { type CallFault, type Fault, isPassing, type PassingFault } from './fault.js';
import { canaryPassword, startWorld } from './fault-world.js';
import { canaryValue, type Probe, type ProbePlace } from './probe.js';
import { probes } from './probes/probe-table.js';
import { Sightings } from './sightings.js';
import { StallMeter } from './stall-meter.js';

/** What came of one fault. */
export interface FaultResult {
  readonly fault: Fault;
  /** Undefined when it was not run. */
  readonly sightings?: Sightings;
  readonly notRun?: string;
  /** Everything that is not as it should be, one line each; those of a feature begin with it. */
  readonly differences: readonly string[];
  /** Milliseconds until the subject knew that the store is away, and that it is back. */
  readonly noticedMs?: number;
  readonly backMs?: number;
}

const noticeWithinMs = 1_000;
const backWithinMs = 3_000;
const roundEveryMs = 40;
const settleWithinMs = 30_000;

/** Runs one fault against every feature. */
export async function runFault(fault: Fault): Promise<FaultResult> {
  const notRun = fault.notRun?.();
  if (notRun !== undefined) return { fault, notRun, differences: [] };
  const stalls = new StallMeter();
  const sightings = new Sightings(stalls);
  for (const secret of [canaryPassword, canaryValue]) sightings.secrets.add(secret);
  const rejections: unknown[] = [];
  const onRejection = (reason: unknown): void => void rejections.push(reason);
  process.on('unhandledRejection', onRejection);
  const general: string[] = [];
  let failure: string | undefined;
  let times: Pick<FaultResult, 'noticedMs' | 'backMs'> = {};
  try {
    if (isPassing(fault)) times = await runPassing(fault, sightings, general);
    else await runCells(fault as CallFault, sightings);
    await pause(50);
  } catch (error) {
    failure = `could not be run: ${inspect(error, { depth: 2 })}`;
  } finally {
    process.off('unhandledRejection', onRejection);
    stalls.stop();
  }
  if (failure !== undefined) return { fault, differences: [failure] };
  for (const reason of rejections) general.push(`unhandled rejection: ${String(reason)}`);
  return { fault, sightings, differences: [...general, ...differencesOf(fault, sightings)], ...times };
}

function differencesOf(fault: Fault, sightings: Sightings): string[] {
  const cells = featureNames.flatMap((feature) => {
    const expected = fault.expected[feature];
    const difference = expected === undefined ? undefined : sightings.difference(feature, expectation(expected));
    const wrongs = sightings.wrongs.filter((one) => one.feature === feature).map(({ what }) => what);
    return difference === undefined && wrongs.length === 0
      ? []
      : [`${feature}: ${[difference, ...wrongs].filter((text) => text !== undefined).join('; ')}`];
  });
  return [
    ...cells,
    ...sightings.late.map((late) => `late: ${late}`),
    ...sightings.unsettled.map((call) => `never settled: ${call}`),
    ...[...sightings.leaks].map((where) => `a secret is in ${where}`),
  ];
}

async function runPassing(
  fault: PassingFault,
  sightings: Sightings,
  general: string[],
): Promise<Pick<FaultResult, 'noticedMs' | 'backMs'>> {
  await using world = await startWorld(sightings, fault.world);
  const { reach = 'all', loss = 'none' } = fault;
  let on = false;
  const told = hearOfLoss(world.subject);
  const place: ProbePlace = { ...world, reach: () => (on ? reach : 'all'), loss, told };
  const table = { ...probes, ...fault.probes };
  const running = Object.keys(fault.expected).map((feature) => new table[feature as Feature](place));
  await Promise.all(running.map((probe) => probe.prepare()));
  sightings.phase = 'onset';
  on = true;
  const sinceMs = performance.now();
  await fault.inject(world);
  const using = { stop: false };
  const rounds = running.map((probe) => keepUsing(probe, using));
  const noticedMs = reach === 'none' ? await noticed(world.subject, general) : undefined;
  sightings.phase = 'during';
  await pause(Math.max(0, fault.lastsMs - (performance.now() - sinceMs)));
  using.stop = true;
  await within(2_500, Promise.all(rounds));
  sightings.phase = 'after';
  const healedMs = performance.now();
  world.calm();
  await fault.heal(world);
  on = false;
  const backMs = await back(world.subject, healedMs, general);
  if (loss !== 'none') await within(6_000, until(told));
  await within(settleWithinMs, Promise.all(running.map((probe) => probe.settle())));
  sightings.search(world.subject, 'the state');
  return { ...(noticedMs === undefined ? {} : { noticedMs }), ...(backMs === undefined ? {} : { backMs }) };
}

async function runCells(fault: CallFault, sightings: Sightings): Promise<void> {
  await using world = await startWorld(sightings, fault.world);
  const told = hearOfLoss(world.subject);
  const shared = await fault.begin?.(world);
  sightings.phase = 'during';
  await Promise.all(
    featureNames.map(async (feature) => {
      const place = { ...world, feature, world, shared, reach: () => 'all' as const, loss: 'none' as const, told };
      try {
        await fault.cells[feature]?.(place);
      } catch (error) {
        sightings.wrong(feature, error instanceof Error ? error.message : String(error));
      }
    }),
  );
}

async function keepUsing(probe: Probe, using: { readonly stop: boolean }): Promise<void> {
  for (let n = 0; !using.stop; n += 1) {
    await probe.round(n);
    await pause(roundEveryMs);
  }
}

/** Until the subject says that it is without the store. */
async function noticed(subject: SharedState, general: string[]): Promise<number> {
  const sinceMs = performance.now();
  await within(
    2 * noticeWithinMs,
    until(() => !subject.status().connected),
  );
  const tookMs = performance.now() - sinceMs;
  if (tookMs > noticeWithinMs) general.push(`it was not noticed within ${noticeWithinMs} ms that the store is away`);
  return tookMs;
}

/** Until the store takes writes of the subject again. */
async function back(subject: SharedState, sinceMs: number, general: string[]): Promise<number | undefined> {
  for (;;) {
    const works = await subject.probe().then(
      () => true,
      () => false,
    );
    const tookMs = performance.now() - sinceMs;
    if (works && tookMs > backWithinMs)
      general.push(`the store was back, and used again after ${Math.round(tookMs)} ms`);
    if (works) return tookMs;
    if (tookMs > 4 * backWithinMs) return void general.push('the store was back, and not used again');
    await pause(20);
  }
}

function hearOfLoss(subject: SharedState): () => boolean {
  let heard = false;
  try {
    // The event has no name in this version where the state refuses it.
    subject.on('stateLost' as 'degraded', () => void (heard = true));
  } catch {
    return () => false;
  }
  return () => heard;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await pause(10);
}

/** Resolves when `work` does, or time is over; what hangs is found by its calls. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let over = false;
  await Promise.race([
    work,
    (async () => {
      const untilMs = performance.now() + ms;
      while (!over && performance.now() < untilMs) await pause(20);
    })(),
  ]);
  over = true;
}
