import assert from 'node:assert/strict';
import { describe, it } from 'vitest';
import type { Ports } from '../../src/backend/backend.js';
import type { Random } from '../../src/random.js';
import type { SessionFields, SessionSpace } from '../../src/session/session-port.js';
import { type EngineKind, memoryEngine, stoppedRedisEngine } from '../../src/testing/engine.js';
import { seededRandom, seedFromEnvironment } from '../../src/testing/random.js';
import { useServer } from '../engines.js';

type Port = Ports['session'];

const interleavings = 10_000;
/** Run beside each other, each on a session of its own; time moves for all of them. */
const abreast = 500;
// So long that the real time a server takes decides nothing.
const idleMs = 450_000;
const space: SessionSpace = {
  name: 's',
  prefix: undefined,
  idleMs,
  absoluteMs: 2_000_000,
  rememberMs: 0,
  tombstoneMs: 900_000,
  maxPerUser: 0,
  whenFull: 'evict',
  graceMs: 100_000,
  staleMs: 30_000,
};
const bucket = 'b0';

/** What one call saw, with the moments at which it was sent and answered. */
interface Event {
  readonly label: string;
  readonly sent: number;
  readonly answered: number;
  /** Under this id the session was live at some moment between the two. */
  readonly live?: string | undefined;
  /** From the answer on no id of the session may ever be live. */
  readonly killed?: boolean;
  /** From the answer on this id may never be live. */
  readonly buried?: string | undefined;
  /** Was written under this name. */
  readonly wrote?: string | undefined;
}

/** One session from its login to its end, under all the ids that it was given, as several processes see it. */
class Life {
  readonly #ports: readonly Port[];
  readonly #random: Random;
  readonly #user: string;
  readonly #ids: string[];
  readonly events: Event[] = [];
  #moment = 0;
  #calls = 0;

  constructor(ports: readonly Port[], random: Random, user: string) {
    this.#ports = ports;
    this.#random = random;
    this.#user = user;
    this.#ids = [`${user}-0`];
  }

  async begin(): Promise<void> {
    const holder = { user: this.#user, device: undefined };
    await this.#port().create(space, { bucket, id: this.#ids[0] ?? '' }, holder, [['begun', '1']]);
  }

  /** Sends `count` calls one after the other without waiting, from either process. */
  async calls(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.#call()));
  }

  /** Reads every id there ever was and says what is live: its id and the names of its fields. */
  async live(): Promise<{ id: string; names: string[] }[]> {
    const reads = this.#ids.map(async (id) => {
      const record = await this.#port().read(space, { bucket, id });
      if (typeof record === 'string' || 'reused' in record || record.id !== id) return [];
      return [{ id, names: record.fields.map(([name]) => name) }];
    });
    return (await Promise.all(reads)).flat();
  }

  #call(): Promise<void> {
    const call = this.#calls++;
    const port = this.#port();
    const id = this.#ids[this.#chance(this.#ids.length)] ?? '';
    const address = { bucket, id };
    const fields: SessionFields = [[`w${call}`, String(call)]];
    switch (this.#chance(14)) {
      case 0:
      case 1:
        return this.#note(`read ${id}`, port.read(space, address), (answer) => seen(id, answer));
      case 2:
      case 3:
        return this.#note(`touch ${id}`, port.touch(space, address), (answer) => seen(id, answer));
      case 4:
        return this.#note(`look ${id}`, port.look(space, address), (answer) => seen(id, answer));
      case 5:
      case 6:
      case 7:
        return this.#note(`set ${id}`, port.set(space, address, fields), (answer) => wrote(id, answer, `w${call}`));
      case 8:
        return this.#note(`replace ${id}`, port.replace(space, address, 1 + this.#chance(4), fields), (answer) =>
          wrote(id, answer, `w${call}`),
        );
      case 9:
      case 10:
      case 11:
        return this.#rotate(port, id, fields, `w${call}`);
      case 12:
        return this.#note(`revoke ${id}`, port.revoke(space, address, undefined), (killed) => ({ killed }));
      default:
        return this.#note('revokeAll', port.revokeAll(space, bucket, this.#user, undefined), (count) => ({
          killed: count > 0,
        }));
    }
  }

  #rotate(port: Port, id: string, fields: SessionFields, name: string): Promise<void> {
    const newId = `${this.#user}-${this.#ids.length}`;
    this.#ids.push(newId);
    const renewal = this.#chance(2) === 0;
    const rotation = { user: renewal ? undefined : this.#user, device: undefined, renewal };
    const done = port.rotate(space, { bucket, id }, newId, rotation, fields);
    return this.#note(`${renewal ? 'renew' : 'rotate'} ${id} ${newId}`, done, (answer) =>
      typeof answer === 'string' ? {} : { live: newId, buried: id, wrote: name },
    );
  }

  async #note<Answer>(
    label: string,
    answering: Promise<Answer>,
    meaning: (answer: Answer) => Omit<Event, 'label' | 'sent' | 'answered'>,
  ): Promise<void> {
    const sent = this.#moment++;
    const answer = await answering;
    this.events.push({ label, sent, answered: this.#moment++, ...meaning(answer) });
  }

  #port(): Port {
    return this.#ports[this.#chance(this.#ports.length)] as Port;
  }

  #chance(below: number): number {
    return Math.floor(this.#random.number() * below);
  }
}

function seen(id: string, answer: object | string): { live?: string; buried?: string } {
  if (typeof answer === 'object') return 'id' in answer ? { live: String(answer.id) } : { buried: id };
  // An id is absent before it is given as well.
  return answer === 'absent' ? {} : { buried: id };
}

function wrote(id: string, answer: object | number | string, name: string): { live?: string; wrote?: string } {
  if (typeof answer === 'number') return { live: id, wrote: name };
  return typeof answer === 'object' ? { live: id } : {};
}

/** Nothing is live that was said before to have ended. */
function checkNothingResurrected(events: readonly Event[]): void {
  for (const end of events) {
    if (end.killed !== true && end.buried === undefined) continue;
    const risen = events.find(
      ({ live, sent }) => live !== undefined && sent > end.answered && (end.killed === true || live === end.buried),
    );
    assert.ok(risen === undefined, `${risen?.label} found it live after ${end.label}`);
  }
}

/** All that was acknowledged is there, once, or has ended with its session. */
function checkNothingLost(events: readonly Event[], live: readonly { id: string; names: string[] }[]): void {
  const isOver = events.some(({ killed }) => killed);
  assert.equal(live.length, isOver ? 0 : 1, `live: ${live.map(({ id }) => id).join(' ')}`);
  if (isOver) return;
  const expected = ['begun', ...events.flatMap((event) => event.wrote ?? [])];
  assert.deepEqual(live[0]?.names.toSorted(), expected.toSorted());
}

async function run(kind: EngineKind, seed: number): Promise<void> {
  for (let start = 0; start < interleavings; start += abreast) {
    const engine = await kind.start();
    const ports = [(await engine.ports()).session, (await engine.ports()).session];
    const lives = Array.from({ length: abreast }, (_, n) => {
      const random = seededRandom(seed + start + n);
      return new Life(ports, random, `u${start + n}`);
    });
    const all = async (step: (life: Life) => Promise<void>): Promise<void> => {
      await Promise.all(
        lives.map((life, n) =>
          step(life).catch((error: unknown) => {
            const trail = life.events.map(({ label }) => label).join(', ');
            throw new Error(`COMMONHOLD_SEED=${seed}, session ${start + n}: ${String(error)}\n${trail}`);
          }),
        ),
      );
    };
    await all((life) => life.begin());
    await all((life) => life.calls(4));
    await engine.advance(start % (2 * abreast) === 0 ? 60_000 : 130_000);
    await all((life) => life.calls(2));
    await all(async (life) => {
      const live = await life.live();
      checkNothingResurrected(life.events);
      checkNothingLost(life.events, live);
    });
    await engine.advance(idleMs + 1_000);
    await all(async (life) => {
      await life.calls(1);
      assert.deepEqual(await life.live(), []);
    });
    await engine.close();
  }
}

describe('S6: 10,000 interleavings of two processes lose nothing and bring nothing back', () => {
  const server = useServer();
  const seed = seedFromEnvironment();
  const limit = { timeout: 120_000 };

  it(`in memory (COMMONHOLD_SEED=${seed})`, limit, () => run(memoryEngine, seed));
  it(`on Redis (COMMONHOLD_SEED=${seed})`, limit, () => run(stoppedRedisEngine(server()), seed));
});
