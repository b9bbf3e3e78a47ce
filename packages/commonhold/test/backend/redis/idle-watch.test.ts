import { describe, expect, it } from 'vitest';
import { IdleWatch } from '../../../src/backend/redis/idle-watch.js';
import { createManualClock } from '../../../src/testing/manual-clock.js';

function watched() {
  const clock = createManualClock();
  const connection = { bytes: 0, up: true, pulses: true, asked: [] as number[], pulsed: [] as number[] };
  const watch = new IdleWatch(clock, {
    ready: () => connection.up,
    bytesRead: () => connection.bytes,
    pulse: () => {
      if (connection.pulses) connection.pulsed.push(clock.monotonic());
      return connection.pulses;
    },
    ask: () => {
      connection.asked.push(clock.monotonic());
      connection.bytes += 7;
    },
  });
  return { clock, connection, watch };
}

describe('IdleWatch', () => {
  it('has a pulse given every second, whatever else goes on', async () => {
    const { clock, connection } = watched();
    for (let second = 0; second < 4; second++) {
      connection.bytes += second % 2;
      await clock.advance(1_000);
    }
    expect([connection.pulsed, connection.asked]).toEqual([[1_000, 2_000, 3_000, 4_000], []]);
  });

  it('asks where there is no pulse to give: every other second of silence, since the answer ends it', async () => {
    const { clock, connection } = watched();
    connection.pulses = false;
    await clock.advance(3_500);
    expect(connection.asked).toEqual([1_000, 3_000]);
  });

  it('asks nothing while bytes come', async () => {
    const { clock, connection } = watched();
    connection.pulses = false;
    for (let second = 0; second < 5; second++) {
      connection.bytes += 1;
      await clock.advance(1_000);
    }
    expect(connection.asked).toEqual([]);
  });

  it('asks nothing while there is no connection, and asks again when there is', async () => {
    const { clock, connection } = watched();
    connection.up = false;
    await clock.advance(5_000);
    expect([...connection.asked, ...connection.pulsed]).toEqual([]);
    connection.up = true;
    await clock.advance(1_000);
    expect(connection.pulsed).toHaveLength(1);
  });

  it('keeps one timer, and none when closed', async () => {
    const { clock, watch } = watched();
    await clock.advance(3_000);
    expect(clock.timers).toBe(1);
    watch.close();
    expect(clock.timers).toBe(0);
  });
});
