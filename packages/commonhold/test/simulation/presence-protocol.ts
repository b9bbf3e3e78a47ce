import { isCommonholdError } from '../../src/errors.js';
import type { Membership } from '../../src/presence/membership.js';
import type { Presence } from '../../src/presence/presence.js';
import type { RunningProcess } from '../../src/testing/simulation/simulated-process.js';
import type { Simulation } from '../../src/testing/simulation/simulation.js';
import { type Protocol, rule } from './protocol.js';

const names = ['a', 'b', 'c'];
const region = 'hall';

/** Three processes have members that come and go. When all is quiet, everybody sees who is there, and nobody else. */
export const presenceProtocol: Protocol = {
  name: 'presence',
  times: { faultyMs: 15_000, calmMs: 45_000 },
  begin(simulation) {
    const room: Room = { members: new Map(), seen: new Map() };
    for (const name of names) {
      simulation.process(name, (process) => visit(new Visitor(process, room), process, simulation));
    }
    return () => names.forEach((name) => everybodyIsSeen(name, room));
  },
};

/** Who is there, and who is seen by each. */
interface Room {
  readonly members: Map<string, readonly string[]>;
  readonly seen: Map<string, readonly string[]>;
}

function everybodyIsSeen(name: string, { members, seen }: Room): void {
  const present = (seen.get(name) ?? ['nothing']).join();
  const expected = names.flatMap((one) => members.get(one) ?? []).toSorted();
  rule(
    'everybody sees who is there',
    present === expected.join(),
    () => `${name} sees ${present}, there are ${expected.join()}`,
  );
}

async function visit(visitor: Visitor, { chance, sleep }: RunningProcess, simulation: Simulation): Promise<void> {
  for (;;) {
    try {
      await (simulation.calm ? visitor.stay() : visitor.comeOrGo());
      await visitor.look();
    } catch (error) {
      if (!isCommonholdError(error)) throw error;
    }
    await sleep(simulation.calm ? 2_000 : chance.until(500));
  }
}

/** The members of one process: two whose ids it has again after a restart, and one of its own. */
class Visitor {
  readonly #process: RunningProcess;
  readonly #presence: Presence;
  readonly #room: Room;
  readonly #seats: readonly string[];
  readonly #mine: readonly string[];
  readonly #here = new Map<string, Membership>();
  #turn = 0;

  constructor(process: RunningProcess, room: Room) {
    const { name, id, state } = process;
    this.#process = process;
    this.#presence = state.presence('site');
    this.#room = room;
    this.#seats = [`${name}-1`, `${name}-2`];
    this.#mine = [...this.#seats, `${id}-guest`];
  }

  async comeOrGo(): Promise<void> {
    const id = this.#process.chance.pick(this.#mine);
    const membership = this.#here.get(id);
    if (membership === undefined) return this.#come(id);
    // Whatever comes of it: it is left, or joined anew.
    this.#here.delete(id);
    await membership.leave();
  }

  async stay(): Promise<void> {
    // Of those who are heard of a loss is made good that nobody noticed.
    for (const one of this.#here.values()) one.heartbeat();
    const missing = this.#mine.find((one) => !this.#here.has(one));
    if (missing !== undefined) return this.#come(missing);
    this.#room.members.set(this.#process.name, this.#mine);
    await this.#hold(this.#seats[this.#turn++ % this.#seats.length] as string);
  }

  async look(): Promise<void> {
    const members = await this.#presence.members(region);
    this.#room.seen.set(
      this.#process.name,
      members.map(({ id }) => id),
    );
  }

  async #come(id: string): Promise<void> {
    this.#here.set(id, await this.#presence.join({ id, region }));
  }

  // After a loss that nobody noticed the one who had the id before may have it again, and then this one does not.
  async #hold(id: string): Promise<void> {
    try {
      await this.#here.get(id)?.move({ region });
    } catch (error) {
      if (isCommonholdError(error) && error.code === 'Closed') this.#here.delete(id);
      else throw error;
    }
  }
}
