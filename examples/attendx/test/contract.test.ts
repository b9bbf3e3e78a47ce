import { describe } from 'vitest';
import { contract } from './contract.js';
import { homes, ownRedis } from './homes.js';
import { startAttendx } from './running.js';

describe.each(homes)('AttendX, %s', (_name, open) => {
  const home = open();
  contract(async () => startAttendx({ variables: await home.variables() }));
});

describe('S1.14: AttendX, three servers on one Redis, below a path', () => {
  const home = ownRedis();
  contract(async () => startAttendx({ variables: await home.variables(), servers: 3, atRoot: false }));
});
