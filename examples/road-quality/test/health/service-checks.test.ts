import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type CheckTimes, ServiceChecks, type ServiceStatus } from '../../src/health/service-checks.js';

function checks(times: CheckTimes = { intervalMs: 20, deadlineMs: 40 }): ServiceChecks {
  const made = new ServiceChecks(times);
  onTestFinished(() => made.close());
  return made;
}

describe('service checks', () => {
  it('S3.7: list what was added, in its order, with what each check says', async () => {
    const services = checks();
    services.add('mongodb', () => Promise.resolve('connected'));
    services.add('mail', () => Promise.reject(new Error('refused')));
    services.add('odd', () => {
      throw new Error('at once');
    });
    services.show('socketio', () => 'active');
    await expect
      .poll(() => JSON.stringify(services.read()))
      .toBe('{"mongodb":"connected","mail":"disconnected","odd":"disconnected","socketio":"active"}');
  });

  it('never wait: a check that hangs counts as away after its deadline, and is not started twice', async () => {
    const services = checks();
    let started = 0;
    let answer: (status: ServiceStatus) => void = () => undefined;
    services.add('slow', () => {
      started++;
      return started > 1 ? Promise.resolve('connected') : new Promise((resolve) => (answer = resolve));
    });
    expect(services.read()).toEqual({ slow: 'connected' });
    await expect.poll(() => services.read()['slow']).toBe('disconnected');
    await sleep(100);
    expect(started).toBe(1);
    answer('connected');
    await expect.poll(() => services.read()['slow']).toBe('connected');
    await expect.poll(() => started).toBeGreaterThan(1);
  });

  it('see a service come back', async () => {
    const services = checks();
    let away = true;
    services.add('service', () => (away ? Promise.reject(new Error('away')) : Promise.resolve('connected')));
    await expect.poll(() => services.read()['service']).toBe('disconnected');
    away = false;
    await expect.poll(() => services.read()['service']).toBe('connected');
  });
});
