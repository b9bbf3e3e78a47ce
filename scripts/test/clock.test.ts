import { describe, expect, it } from 'vitest';
import { guardClock } from '../guards/clock.mjs';
import { objections } from './planted.js';

const src = 'packages/commonhold/src/';

describe('guardClock', () => {
  it.each([
    'const at = Date.now();',
    'const at = new Date();',
    'const at = performance.now();',
    'setTimeout(f, 1);',
    'globalThis.setInterval(f, 1);',
    'setImmediate(f);',
    'const later = setTimeout;',
    'const x = Math.random();',
    'const id = crypto.randomUUID();',
    "import { randomBytes } from 'node:crypto';",
    "import { scheduler } from 'node:timers/promises';",
    'const signal = AbortSignal.timeout(5);',
    'const at = process.hrtime.bigint();',
  ])('refuses %s', (text) => {
    expect(objections(guardClock, { [`${src}lock/lock.ts`]: text })).not.toEqual([]);
  });

  it.each([
    'const at = clock.now();',
    'const date = new Date(atMs);',
    "import { createHash } from 'node:crypto';",
    '/** Like Date.now() and setTimeout. */\nconst text = "Date.now()";',
  ])('allows %s', (text) => {
    expect(objections(guardClock, { [`${src}lock/lock.ts`]: text })).toEqual([]);
  });

  it.each([`${src}clock.ts`, `${src}random.ts`, `${src}testing/waiting.ts`, 'packages/server/src/main.ts'])(
    'leaves %s alone',
    (path) => {
      expect(objections(guardClock, { [path]: 'setTimeout(f, Date.now());' })).toEqual([]);
    },
  );

  it.each([`${src}lock/clock.ts`, `${src}clock-drift.ts`])('does not take %s for the clock', (path) => {
    expect(objections(guardClock, { [path]: 'setTimeout(f, 1);' })).toHaveLength(1);
  });
});
