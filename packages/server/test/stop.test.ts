import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Endings } from '../src/stop.js';

const never = new Promise(() => undefined);

describe('Endings', () => {
  it('is content when all ended', async () => {
    const endings = new Endings();
    await endings.within(endings.wait('a', sleep(5)), 1000);
  });

  it('names what did not end in time, as it is called then', async () => {
    const endings = new Endings();
    let requests = 3;
    void endings.wait('system a', sleep(1));
    void endings.wait('system b', never);
    const last = endings.wait(() => `${requests} requests`, never);
    requests = 2;
    await expect(endings.within(last, 50)).rejects.toThrow('did not end within 50 ms: system b, 2 requests');
  });

  it('lets the rest end when one fails, and says so at the end', async () => {
    const endings = new Endings();
    const all = (async () => {
      await endings.wait('system a', Promise.reject(new Error('no luck')));
      await endings.wait('state', sleep(5));
    })();
    await expect(endings.within(all, 1000)).rejects.toThrow(/^system a failed: no luck$/);
  });
});
