import { describe, expect, it } from 'vitest';
import { faults } from './fault-list.js';
import { runFault } from './run-fault.js';

/** How fast a call was, and that an outage was noticed soon, is for `npm run test:faults` on a quiet machine. */
const aboutTime = /^late: |noticed within|used again after/;

/** About half a minute of them; all take some minutes. */
const some = faults.filter(({ id }) => ['F03', 'F04', 'F05', 'F09', 'F12'].includes(id));

describe('faults on a real server', { timeout: 60_000 }, () => {
  for (const fault of some) {
    it(`${fault.id}, ${fault.title}: every feature is as it should be, every call settles, no secret is told`, async () => {
      const { differences } = await runFault(fault);
      expect(differences.filter((line) => !aboutTime.test(line))).toEqual([]);
    });
  }
});
