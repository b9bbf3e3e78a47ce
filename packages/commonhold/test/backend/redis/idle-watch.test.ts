import { describe, expect, it } from 'vitest';
import { IdleWatch } from '../../../src/backend/redis/idle-watch.js';
import { systemRandom } from '../../../src/random.js';
import { createManualClock } from '../../../src/testing/manual-clock.js';

function watched() {
  const clock = createManualClock();
  const connection = { bytes: 0, up: true, refusing: false, asked: [] as number[], pulsed: [] as number[] };
  // The longest gap between two pulses.
  const watch = new IdleWatch(
    clock,
    { ...systemRandom, number: () => 0.999 },
    {
      ready: () => connection.up,
      refusing: () => connection.refusing,
      bytesRead: () => connection.bytes,
      ask: () => {
        connection.asked.push(clock.monotonic());
        connection.bytes += 7;
      },
      pulse: () => {
        connection.pulsed.push(clock.monotonic());
        connection.bytes += 70;
        watch.pulsed();
      },
    },
  );
  return { clock, connection, watch };
}

describe('IdleWatch', () => {
  it('asks every other second of silence, since the answer ends it', async () => {
    const { clock, connection } = watched();
    await clock.advance(3_500);
    expect(connection.asked).toEqual([1_000, 3_000]);
  });

  it('has a pulse given every few seconds, whatever else goes on, and every second while writes are refused', async () => {
    const { clock, connection } = watched();
    for (let second = 0; second < 13; second++) {
      connection.bytes += second % 2;
      await clock.advance(1_000);
    }
    expect(connection.pulsed).toEqual([4_000, 8_000, 12_000]);
    connection.refusing = true;
    await clock.advance(3_000);
    expect(connection.pulsed.slice(3)).toEqual([14_000, 15_000, 16_000]);
    connection.refusing = false;
    await clock.advance(3_000);
    expect(connection.pulsed).toHaveLength(6);
  });

  it('asks nothing while bytes come', async () => {
    const { clock, connection } = watched();
    for (let second = 0; second < 5; second++) {
      connection.bytes += 1;
      await clock.advance(1_000);
    }
    expect(connection.asked).toEqual([]);
    expect(connection.pulsed).toEqual([4_000]);
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
