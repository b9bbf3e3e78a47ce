import { type Clock, sleep } from '../../clock.js';
import { UnavailableError } from '../../errors.js';
import type { NamedOperation } from '../../operation.js';
import { connectFailure } from './classify.js';
import { awaitDurable, type Durability, durabilityOf, makeDurable, undurable } from './durability.js';
import { type DurableOutcome, type DurableRunner, type DurableStep, DurableWrite } from './durable-write.js';
import type { RedisWire } from './redis-wire.js';
import type { ServerFacts } from './server-facts.js';

/** The connection that durable writes have to themselves: WAIT blocks what comes after it on the same connection. */
export interface DurableConnection {
  readonly wire: RedisWire;
  readonly facts: ServerFacts;
  /** Another one after each time that it was lost. */
  readonly incarnation: number;
  /** Why nothing can be sent; undefined when it can. */
  readonly awayReason: string | undefined;
  /** Reads the facts anew. */
  look(): Promise<void>;
  close(): Promise<void>;
}

const asking: NamedOperation = { name: 'connection.ask', kind: 'read', away: 'refuse', deadline: 'state' };
const marking: NamedOperation = { name: 'connection.mark', kind: 'idempotent', away: 'refuse', deadline: 'state' };
const mostInBatch = 500;
/** What an answer needs to come back before the callers give up. */
const answerMs = 20;
const markLifeMs = 1_000;
const lookAgainMs = 10;

/**
 * Runs scripts and answers when what they wrote is on a replica or on disk. Writes that come while one batch is awaited form the
 * next one, so that many callers share one WAIT: it speaks for everything that was written before it on its connection.
 */
export class DurableWrites implements DurableRunner {
  readonly #clock: Clock;
  readonly #open: () => Promise<DurableConnection>;
  #connection: Promise<DurableConnection> | undefined;
  #waiting: DurableWrite[] = [];
  #working: Promise<void> | undefined;
  /** How the server proves, and on which incarnation of the connection that was found out. */
  #known: { readonly durability: Durability; readonly incarnation: number } | undefined;

  /** `open` is called at the first write, so that nobody else pays for it. */
  constructor(clock: Clock, open: () => Promise<DurableConnection>) {
    this.#clock = clock;
    this.#open = open;
  }

  run(step: DurableStep): Promise<DurableOutcome> {
    const write = new DurableWrite(step, this.#clock);
    this.#waiting.push(write);
    this.#working ??= this.#work();
    return write.result;
  }

  /** Lets what is under way end, and disconnects. */
  async close(): Promise<void> {
    await this.#working;
    await (await this.#connection)?.close();
  }

  async #work(): Promise<void> {
    // What the same turn of the event loop still adds comes along.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, mostInBatch).filter((write) => !write.settled);
      // A batch of nobody has no time by which to give up a server that is away.
      if (batch.length === 0) continue;
      try {
        this.#connection ??= this.#open();
        await this.#store(batch, await this.#connection);
      } catch (error) {
        for (const write of batch) write.refuse(classified(error, write));
      }
    }
    this.#working = undefined;
  }

  async #store(batch: readonly DurableWrite[], connection: DurableConnection): Promise<void> {
    await this.#ready(connection, batch);
    const durability = await this.#durability(connection);
    const { incarnation, wire } = connection;
    const run = ({ operation, script, keys, args, reply }: DurableStep): Promise<unknown> =>
      wire.run({ ...operation, durable: false }, script, keys, args, reply);
    await Promise.all(batch.filter((write) => !write.settled).map((write) => write.store(run)));
    const stored = batch.filter((write) => write.stored);
    const last = stored.at(-1);
    if (last === undefined) return;
    const dueAtMs = Math.max(...stored.map(({ step }) => step.dueAtMs));
    const confirmed = await this.#confirm(connection, durability, last.step.keys[0] ?? '', dueAtMs);
    // Another connection may be one to another server, which cannot speak for what this one was told.
    const cutOff = confirmed === undefined || connection.incarnation !== incarnation;
    // The replica may be gone for good: whether there is another is asked before the next write.
    if (cutOff || !confirmed) this.#known = undefined;
    for (const write of stored) {
      if (confirmed && !cutOff) write.confirm();
      else write.leaveUnconfirmed(cutOff);
    }
  }

  // A master that steps down cuts off who waits; the server itself is there, or nothing durable would come here.
  async #ready(connection: DurableConnection, batch: readonly DurableWrite[]): Promise<void> {
    const untilMs = Math.min(...batch.map(({ step }) => step.dueAtMs)) - 2 * answerMs;
    for (;;) {
      const { awayReason } = connection;
      if (awayReason === undefined) return;
      if (this.#clock.monotonic() >= untilMs) throw new Refusal(awayReason);
      await sleep(this.#clock, lookAgainMs, undefined, { keepAlive: true });
    }
  }

  async #durability(connection: DurableConnection): Promise<Durability> {
    const { incarnation } = connection;
    if (this.#known?.incarnation === incarnation) return this.#known.durability;
    await connection.look();
    const durability = await durabilityOf(connection.facts, () => syncsAlways(connection.wire));
    if (durability === undefined) throw new Refusal(undurable(connection.facts), makeDurable);
    this.#known = { durability, incarnation };
    return durability;
  }

  // A script that found its work done wrote nothing, and since Redis 7.2 WAIT then speaks for an earlier write of this
  // connection. What it found may be younger: so something is written after it.
  // Undefined when the connection was cut off.
  async #confirm(
    { wire }: DurableConnection,
    durability: Durability,
    key: string,
    dueAtMs: number,
  ): Promise<boolean | undefined> {
    if (durability === 'reply') return true;
    const timeoutMs = Math.floor(dueAtMs - this.#clock.monotonic() - answerMs);
    if (timeoutMs < 1) return false;
    const mark = wire.command(marking, ['SET', `${key}:durable`, '', 'PX', `${markLifeMs}`]);
    const count = wire.command(asking, awaitDurable(durability, timeoutMs));
    const [, counted] = await Promise.allSettled([mark, count]);
    if (counted.status === 'rejected') return undefined;
    const { value } = counted;
    return Number(Array.isArray(value) ? value[0] : value) >= 1;
  }
}

/** Why no write of a batch was sent. */
class Refusal extends Error {
  readonly advice: string | undefined;

  constructor(message: string, advice?: string) {
    super(message);
    this.advice = advice;
  }
}

function classified(error: unknown, { step }: DurableWrite): UnavailableError {
  const message = connectFailure(error);
  const advice = error instanceof Refusal ? error.advice : undefined;
  return new UnavailableError(step.operation.name, message, advice === undefined ? {} : { advice });
}

// Where CONFIG is forbidden, nobody knows, and nothing is promised.
async function syncsAlways(wire: RedisWire): Promise<boolean> {
  try {
    const reply = await wire.command(asking, ['CONFIG', 'GET', 'appendfsync']);
    return Array.isArray(reply) && reply[1] === 'always';
  } catch {
    return false;
  }
}
