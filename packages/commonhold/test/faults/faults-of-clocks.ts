import { systemClock } from '../../src/clock.js';
import type { PassingFault } from './fault.js';
import { unaffected } from './rows.js';

const hourMs = 3_600_000;
const skewMs = 600_000;
const realNow = Date.now;

/** What happens to time. */
export const faultsOfClocks: readonly PassingFault[] = [
  jump('F19a', 'clock jumps an hour ahead', hourMs),
  jump('F19b', 'clock jumps an hour back', -hourMs),
  {
    id: 'F20',
    title: 'clocks 20 minutes apart',
    how: 'one process 10 minutes ahead of the server, the other 10 behind',
    world: { states: [skewed(skewMs), skewed(-skewMs)] },
    lastsMs: 1_500,
    expected: unaffected,
    inject: () => undefined,
    heal: () => undefined,
  },
  {
    id: 'F21',
    title: 'event loop stands still',
    how: 'a busy loop of 2.5 s: longer than the lease of the lock',
    lastsMs: 3_200,
    expected: { ...unaffected, LO: 'OK LE > LE TK', QU: 'OK > OK LE', PS: 'OK > OK RS' },
    inject: ({ defer }) => {
      // After the first calls, so that some are under way.
      const timer = setTimeout(() => stall(2_500), 300);
      defer(() => clearTimeout(timer));
    },
    heal: () => undefined,
  },
];

function jump(id: string, title: string, byMs: number): PassingFault {
  return {
    id,
    title,
    how: `\`Date.now\` of the process ${byMs > 0 ? 'grows' : 'shrinks'} by an hour; monotonic time goes on`,
    lastsMs: 1_500,
    expected: unaffected,
    inject: ({ defer }) => {
      Date.now = () => realNow() + byMs;
      defer(() => void (Date.now = realNow));
    },
    heal: () => void (Date.now = realNow),
  };
}

function skewed(byMs: number): { clock: typeof systemClock } {
  return { clock: { ...systemClock, now: () => systemClock.now() + byMs } };
}

function stall(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}
