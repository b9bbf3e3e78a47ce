import { fenced } from '../backend/redis/fence.js';
import type { ReplyOptions } from '../backend/redis/redis-client.js';
import type { RedisWire } from '../backend/redis/redis-wire.js';
import { loadScript, type Script } from '../backend/redis/script.js';
import { CorruptStateError, OutcomeUnknownError } from '../errors.js';
import type { Guard } from '../guard.js';
import type { Keys } from '../keys.js';
import { type Operation, operationKey, operationReused } from '../operation-id.js';
import type { NamedOperation } from '../operation.js';
import { counterOperations as operations } from './counter-operations.js';
import { type CounterPort, counterCall, type DayCounts, counterFull } from './counter-port.js';

const addScript = loadScript(import.meta.url, 'add.lua');
const addDailyScript = loadScript(import.meta.url, 'add-daily.lua');
const addOnceScript = loadScript(import.meta.url, 'add-once.lua');
const getScript = loadScript(import.meta.url, 'get.lua');
const resetScript = loadScript(import.meta.url, 'reset.lua');
const resetOnceScript = loadScript(import.meta.url, 'reset-once.lua');
const seriesScript = loadScript(import.meta.url, 'series.lua');

/**
 * Integer replies as text (type ':' is 58): node-redis reads them with a rounding error in the last 48 numbers below 2^53.
 */
const exactReply: ReplyOptions = { typeMapping: { 58: String } };

/**
 * A total is one string key, which INCR understands; the counts of days are one hash beside it, by `YYYY-MM-DD`; an operation
 * that has an id is one more string, for as long as it is remembered.
 */
export class RedisCounter implements CounterPort {
  readonly #wire: RedisWire;
  readonly #keys: Keys;

  constructor(wire: RedisWire, keys: Keys) {
    this.#wire = wire;
    this.#keys = keys;
  }

  async add(
    counter: string,
    by: number,
    ttlMs: number | undefined,
    keepMs: number | undefined,
    guard?: Guard,
  ): Promise<number> {
    const key = this.#key(counter);
    if (ttlMs === undefined && keepMs === undefined && guard === undefined) return this.#increment(counter, key, by);
    const args = [String(by), ttlMs === undefined ? '' : String(ttlMs)];
    const reply = await (keepMs === undefined
      ? this.#run(operations.add, addScript, [key], args, guard)
      : this.#run(operations.add, addDailyScript, [key, daysKey(key)], [...args, String(keepMs)], guard));
    if (reply === null) throw counterFull(counter);
    return Number(reply);
  }

  async addOnce(
    counter: string,
    by: number,
    ttlMs: number | undefined,
    keepMs: number | undefined,
    operation: Operation,
    guard?: Guard,
  ): Promise<number> {
    const key = this.#key(counter);
    const keys = [key, operationKey(key, operation.id), daysKey(key)] as const;
    const args = [`${by}`, `${ttlMs ?? ''}`, `${keepMs ?? ''}`, `${operation.rememberMs}`];
    const reply = await this.#run(operations.addOnce, addOnceScript, keys, args, guard);
    if (reply === null) throw counterFull(counter);
    return answerOf(counter, reply);
  }

  async get(counter: string, guard?: Guard): Promise<number> {
    const key = this.#key(counter);
    if (guard !== undefined) return integer(counter, await this.#run(operations.get, getScript, [key], [], guard));
    return integer(counter, (await this.#wire.command(operations.get, ['GET', key])) ?? '0');
  }

  async reset(counter: string, guard?: Guard): Promise<number> {
    return Number(await this.#run(operations.reset, resetScript, [this.#key(counter)], [], guard));
  }

  async resetOnce(counter: string, operation: Operation, guard?: Guard): Promise<number> {
    const key = this.#key(counter);
    const keys = [key, operationKey(key, operation.id)] as const;
    const reply = await this.#run(operations.resetOnce, resetOnceScript, keys, [`${operation.rememberMs}`], guard);
    return answerOf(counter, reply);
  }

  async series(counter: string, keepMs: number, days: number, lastDay: number | undefined): Promise<DayCounts> {
    const args = [String(keepMs), String(days), lastDay === undefined ? '' : String(lastDay)];
    const reply = await this.#wire.run(operations.series, seriesScript, [daysKey(this.#key(counter))], args);
    const [last, counts] = reply as [last: number, counts: string[]];
    return { lastDay: last, counts: counts.map((count) => integer(counter, count)) };
  }

  #run(
    operation: NamedOperation,
    script: Script,
    keys: readonly [string, ...string[]],
    args: readonly string[],
    guard: Guard | undefined,
  ): Promise<unknown> {
    if (guard === undefined) return this.#wire.run(operation, script, keys, args, exactReply);
    const call = fenced(guard, keys[0], { script, keys, args });
    return this.#wire.run(operation, call.script, call.keys, call.args, exactReply);
  }

  #key(counter: string): string {
    return this.#keys.tagged('counter', counter);
  }

  // INCRBY is several times cheaper than a script and cannot look at the sum first, so a sum out of range is taken back.
  // Both commands commute with every other add: whatever comes between them, the total ends up exact.
  async #increment(counter: string, key: string, by: number): Promise<number> {
    const command = ['INCRBY', key, String(by)];
    const reply = await this.#wire.command(operations.add, command, exactReply).catch((error: unknown) => {
      throw refusedIncrement(counter, error);
    });
    const sum = Number(reply);
    if (Number.isSafeInteger(sum)) return sum;
    await this.#takeBack(key, by);
    throw counterFull(counter);
  }

  async #takeBack(key: string, by: number): Promise<void> {
    try {
      await this.#wire.command(operations.add, ['DECRBY', key, String(by)]);
    } catch (cause) {
      const why = 'the total passed 2^53-1 and the add could not be taken back';
      throw new OutcomeUnknownError(operations.add.name, why, false, { cause });
    }
  }
}

function daysKey(key: string): string {
  return `${key}:days`;
}

function answerOf(counter: string, reply: unknown): number {
  if (reply === 'reused') throw operationReused(counterCall(counter));
  return integer(counter, reply);
}

function integer(counter: string, text: unknown): number {
  const value = typeof text === 'string' && /^(?:0|-?[1-9]\d*)$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw notOurs(counter);
  return value;
}

/** What INCRBY says when it did nothing, because of what the key holds. */
function refusedIncrement(counter: string, error: unknown): unknown {
  const reply = error instanceof Error && error.cause instanceof Error ? error.cause.message : '';
  if (reply.includes('not an integer')) return notOurs(counter, error);
  return reply.includes('would overflow') ? counterFull(counter) : error;
}

function notOurs(counter: string, cause?: unknown): CorruptStateError {
  const details = cause === undefined ? {} : { cause };
  return new CorruptStateError(`Counter ${counter}`, 'no whole number within 2^53-1', details);
}
