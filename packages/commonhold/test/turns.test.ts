import { describe, expect, it } from 'vitest';
import { LocalBus } from '../src/backend/memory/local-bus.js';
import { Wakes } from '../src/backend/wakes.js';
import { OutcomeUnknownError, OverloadedError } from '../src/errors.js';
import type { FeatureContext } from '../src/feature-context.js';
import type { TurnToCome } from '../src/line-member.js';
import { systemRandom } from '../src/random.js';
import { createManualClock, type ManualClock } from '../src/testing/manual-clock.js';
import { eventLoopTurn } from '../src/testing/waiting.js';
import { type Turn, Turns } from '../src/turns.js';

const wait = (first: boolean = true, goneInMs: number = 60_000): TurnToCome => ({ state: 'wait', first, goneInMs });
const mine = { state: 'mine' } as const;
type Answer = typeof mine | TurnToCome;

/** A turn whose answers the test gives, and what was done with it. */
class ScriptedTurn implements Turn<typeof mine, string> {
  readonly operation = 'test.turn';
  readonly topic = 'topic';
  readonly leaseMs = 10_000;
  readonly looks: number[] = [];
  left = 0;
  begun = 0;
  answer: () => Promise<Answer> = async () => wait();
  readonly #clock: ManualClock;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  look(): Promise<Answer> {
    this.looks.push(this.#clock.monotonic());
    return this.answer();
  }

  begin(): string {
    this.begun += 1;
    return 'made';
  }

  async leave(): Promise<void> {
    this.left += 1;
  }
}

function scripted(): { clock: ManualClock; wakes: Wakes; turns: Turns; turn: ScriptedTurn } {
  const clock = createManualClock();
  const random = { ...systemRandom, number: () => 0.999 };
  const wakes = new Wakes(clock, random);
  const turns = new Turns({ clock, random, wakes, bus: new LocalBus() } as unknown as FeatureContext);
  return { clock, wakes, turns, turn: new ScriptedTurn(clock) };
}

const forever = { waitMs: undefined };

describe('a turn', () => {
  it('is taken at once, and nothing is left behind', async () => {
    const { clock, turns, turn } = scripted();
    turn.answer = async () => mine;
    expect(await turns.take(turn, forever)).toBe('made');
    expect([turn.left, clock.timers]).toEqual([0, 0]);
  });

  it('is looked for when it is woken, and else about every second', async () => {
    const { clock, wakes, turns, turn } = scripted();
    const taken = turns.take(turn, forever);
    await clock.advance(2_500);
    expect(turn.looks.map(Math.round)).toEqual([0, 1_000, 1_999]);
    turn.answer = async () => mine;
    wakes.wake('topic');
    expect(await taken).toBe('made');
    expect(clock.timers).toBe(0);
  });

  it('of a dead one is looked for by the first in line alone, just when its lease is over', async () => {
    const { clock, turns, turn } = scripted();
    turn.answer = async () => wait(true, 300);
    void turns.take(turn, forever);
    await clock.advance(400);
    expect(turn.looks).toEqual([0, 301]);
    const behind = scripted();
    behind.turn.answer = async () => wait(false, 300);
    void behind.turns.take(behind.turn, forever);
    await behind.clock.advance(400);
    expect(behind.turn.looks).toEqual([0]);
  });

  it('is given up when the time is over, after a last look', async () => {
    const { clock, turns, turn } = scripted();
    const taken = turns.take(turn, { waitMs: 1_500 });
    await clock.advance(1_500);
    expect(await taken).toBeUndefined();
    expect([turn.looks.at(-1), turn.left]).toEqual([1_500, 1]);
  });

  it('that is asked for once leaves nothing behind that would have to be left', async () => {
    const { turns, turn } = scripted();
    expect(await turns.take(turn, { waitMs: 0 })).toBeUndefined();
    expect([turn.looks.length, turn.left]).toEqual([1, 0]);
  });

  it('whose answer comes when its lease is nearly over is asked for again, for as long as the caller wants it', async () => {
    const { clock, turns, turn } = scripted();
    const controller = new AbortController();
    const late = async (): Promise<Answer> => {
      await clock.advance(9_500);
      return mine;
    };
    turn.answer = late;
    turn.begin = () => expect.fail('begun late');
    const reason = new Error('enough');
    const taken = turns.take(turn, { waitMs: undefined, signal: controller.signal });
    setTimeout(() => controller.abort(reason), 30);
    await expect(taken).rejects.toBe(reason);
    expect(turn.looks.length).toBeGreaterThan(1);
    expect(turn.left).toBe(1);
  });

  it('that comes after the signal aborted is given back', async () => {
    const { turns, turn } = scripted();
    const controller = new AbortController();
    let answer: (given: Answer) => void = () => undefined;
    turn.answer = () => new Promise((resolve) => (answer = resolve));
    const taken = turns.take(turn, { waitMs: undefined, signal: controller.signal });
    const reason = new Error('enough');
    controller.abort(reason);
    answer(mine);
    await expect(taken).rejects.toBe(reason);
    expect([turn.begun, turn.left]).toEqual([0, 1]);
  });

  it('that comes while the state closes is given back, and closing waits for that', async () => {
    const { turns, turn } = scripted();
    let answer: (given: Answer) => void = () => undefined;
    turn.answer = () => new Promise((resolve) => (answer = resolve));
    const taken = turns.take(turn, forever);
    const refused = expect(taken).rejects.toMatchObject({ code: 'Closed' });
    let closed = false;
    const closing = turns.close().then(() => (closed = true));
    await eventLoopTurn();
    expect(closed).toBe(false);
    answer(mine);
    await refused;
    await closing;
    expect([turn.begun, turn.left]).toEqual([0, 1]);
    await expect(turns.take(turn, forever)).rejects.toMatchObject({ code: 'Closed' });
  });

  it('whose answer is lost was not begun: Unavailable, with the cause; other errors stay as they are', async () => {
    const { turns, turn } = scripted();
    const unknown = new OutcomeUnknownError('test.turn', 'no answer', true);
    turn.answer = () => Promise.reject(unknown);
    await expect(turns.take(turn, forever)).rejects.toMatchObject({ code: 'Unavailable', cause: unknown });
    const full = new OverloadedError('Redis', 'its maxmemory');
    turn.answer = () => Promise.reject(full);
    await expect(turns.take(turn, forever)).rejects.toBe(full);
    expect(turn.left).toBe(2);
  });
});
