import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Membership } from '../../src/presence/membership.js';
import type { Presence, PresenceEvent } from '../../src/presence/presence.js';
import { type Engine, type EngineKind, memoryEngine, redisEngine } from '../../src/testing/engine.js';
import { passBeats, type Process, startProcess } from '../../src/testing/processes.js';
import { seedFromEnvironment } from '../../src/testing/random.js';
import { eventually } from '../../src/testing/waiting.js';
import { useServer } from '../engines.js';

type Step =
  | { readonly do: 'join' | 'move'; readonly process: number; readonly id: string; readonly region: string }
  | { readonly do: 'leave' | 'heartbeat'; readonly process: number; readonly id: string }
  | { readonly do: 'die'; readonly process: number }
  | { readonly do: 'pass'; readonly ms: number };

const histories = Number(process.env['COMMONHOLD_HISTORIES'] ?? 6);
const which = fc.integer({ min: 0, max: 2 });
const id = fc.constantFrom('a', 'b', 'c', 'd');
const region = fc.constantFrom('r', 's');
// No sum of these is the length of a lease: where time stands still, its last millisecond would not pass.
const passedMs = fc.constantFrom(3_001, 9_007);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('join' as const), process: which, id, region }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('move' as const), process: which, id, region }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('leave' as const, 'heartbeat' as const), process: which, id }),
  },
  fc.record({ do: fc.constant('die' as const), process: which }),
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: passedMs }) },
);

interface Seat {
  readonly process: Process;
  readonly presence: Presence;
  readonly members: Map<string, Membership>;
}

/** Three processes that live and die, what is true of them, and one that only listens. */
class History {
  readonly seats: Seat[] = [];
  /** Whose each id is, and where. */
  readonly truth = new Map<string, { seat: Seat; region: string }>();
  readonly heard = new Map<string, string>();
  readonly faults: string[] = [];
  readonly #engine: Engine;
  watcher: Seat | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async start(): Promise<void> {
    this.watcher = await this.#seat();
    await this.watcher.presence.subscribe(undefined, (event) => this.#hear(event));
    for (let n = 0; n < 3; n++) this.seats.push(await this.#seat());
  }

  async run(next: Step): Promise<void> {
    if (next.do === 'pass') return this.pass(next.ms);
    const seat = this.seats[next.process] as Seat;
    if (next.do === 'die') {
      for (const [held, { seat: holder }] of this.truth) if (holder === seat) this.truth.delete(held);
      this.seats[next.process] = await this.#seat();
      return;
    }
    const member = seat.members.get(next.id);
    const mine = this.truth.get(next.id)?.seat === seat;
    if (next.do === 'join') {
      seat.members.set(next.id, await seat.presence.join({ id: next.id, region: next.region }));
      this.truth.set(next.id, { seat, region: next.region });
    } else if (next.do === 'move') {
      await member?.move({ region: next.region }).catch(() => undefined);
      if (member && mine) this.truth.set(next.id, { seat, region: next.region });
    } else if (next.do === 'leave') {
      await member?.leave();
      seat.members.delete(next.id);
      if (mine) this.truth.delete(next.id);
    } else member?.heartbeat();
  }

  pass(ms: number): Promise<void> {
    const alive = [this.watcher, ...this.seats].filter((seat) => seat !== undefined);
    // A process without members and listeners has no beat.
    const beating = alive.filter(
      (seat) => seat === this.watcher || [...this.truth.values()].some((t) => t.seat === seat),
    );
    return passBeats(this.#engine, ms, ...beating.map((seat) => seat.process));
  }

  async #seat(): Promise<Seat> {
    const started = await startProcess(this.#engine);
    return { process: started, presence: started.state.presence('p'), members: new Map() };
  }

  // Joined and left alternate, and a move begins where the member was.
  #hear(event: PresenceEvent<undefined>): void {
    const { id: of, region: to = '' } = event.member;
    const at = this.heard.get(of);
    const expected = event.type === 'joined' ? undefined : event.type === 'moved' ? event.from : to;
    if (at !== expected) this.faults.push(`${event.type} ${of} ${to}, which was at ${at}`);
    if (event.type === 'left') this.heard.delete(of);
    else this.heard.set(of, to);
  }
}

async function check(kind: EngineKind, steps: readonly Step[]): Promise<void> {
  const engine = await kind.start();
  try {
    const history = new History(engine);
    await history.start();
    for (const next of steps) await history.run(next);
    await history.pass(20_000);
    const truth = [...history.truth].map(([of, at]) => `${of} ${at.region}`).toSorted();
    for (const { presence } of [history.watcher as Seat, ...history.seats]) {
      const members = [...(await presence.members('r')), ...(await presence.members('s'))];
      expect(members.map((member) => `${member.id} ${member.region}`).toSorted()).toEqual(truth);
      expect((await presence.count('r')) + (await presence.count('s'))).toBe(truth.length);
    }
    await eventually(() => expect([...history.heard].map((entry) => entry.join(' ')).toSorted()).toEqual(truth));
    expect(history.faults).toEqual([]);
  } finally {
    await engine.close();
  }
}

describe('a presence through any history of joins, moves and deaths', { timeout: 120_000 }, () => {
  const server = useServer();
  const steps = fc.array(step, { minLength: 20, maxLength: 30 });
  const run = (kind: () => EngineKind): Promise<void> =>
    fc.assert(
      fc.asyncProperty(steps, (history) => check(kind(), history)),
      { seed: seedFromEnvironment(), numRuns: histories, endOnFailure: true },
    );

  it('is what it was told, to every process, and tells each change once (in memory)', () => run(() => memoryEngine));
  it('is what it was told, to every process, and tells each change once (on Redis)', () =>
    run(() => redisEngine(server())));
});
