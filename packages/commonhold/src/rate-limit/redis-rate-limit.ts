import type { RedisWire } from '../backend/redis/redis-wire.js';
import { loadScript } from '../backend/redis/script.js';
import type { Keys } from '../keys.js';
import { type Operation, operationKey, operationReused } from '../operation-id.js';
import { rateLimitOperations as operations } from './rate-limit-operations.js';
import {
  consumeCall,
  hitName,
  type Meter,
  type MeterReading,
  meterSuffix,
  type RateLimitPort,
  type Reading,
  subjectName,
} from './rate-limit-port.js';
import { forgetChannel } from './refusal-memory.js';

const consumeScript = loadScript(import.meta.url, 'consume.lua');
const consumeOnceScript = loadScript(import.meta.url, 'consume-once.lua');
const peekScript = loadScript(import.meta.url, 'peek.lua');
const refundScript = loadScript(import.meta.url, 'refund.lua');
const refundOnceScript = loadScript(import.meta.url, 'refund-once.lua');
const blockScript = loadScript(import.meta.url, 'block.lua');
const resetScript = loadScript(import.meta.url, 'reset.lua');

/** Meters as scripts take them. */
interface Wired {
  readonly suffixes: readonly string[];
  readonly args: readonly string[];
}

/** One string key for each rule of a subject, and one for its block; each expires when nothing of it counts any more. */
export class RedisRateLimit implements RateLimitPort {
  readonly #wire: RedisWire;
  readonly #keys: Keys;
  readonly #channel: string;
  // The meters of a limiter are one list that never changes.
  readonly #wired = new WeakMap<readonly Meter[], Wired>();

  constructor(wire: RedisWire, keys: Keys) {
    this.#wire = wire;
    this.#keys = keys;
    this.#channel = forgetChannel(keys);
  }

  async consume(limiter: string, subject: string, meters: readonly Meter[], weight: number): Promise<Reading> {
    const { suffixes, args } = this.#wiredOf(meters);
    const keys = this.#names(limiter, subject, suffixes);
    return reading(await this.#wire.run(operations.consume, consumeScript, keys, [`${weight}`, ...args]));
  }

  async consumeOnce(
    limiter: string,
    subject: string,
    meters: readonly Meter[],
    weight: number,
    operation: Operation,
  ): Promise<Reading> {
    const { suffixes, args } = this.#wiredOf(meters);
    const [block = '', ...used] = this.#names(limiter, subject, suffixes);
    const keys = [block, this.#operationKey(limiter, subject, operation.id), ...used];
    const told = [`${weight}`, hitName(meters, weight), `${operation.rememberMs}`];
    const reply = String(await this.#wire.run(operations.consumeOnce, consumeOnceScript, keys, [...told, ...args]));
    if (reply === 'reused') throw operationReused(consumeCall(limiter));
    return reading(reply.split(' ').map(Number));
  }

  async peek(limiter: string, subject: string, meters: readonly Meter[], weight: number): Promise<Reading> {
    const { suffixes, args } = this.#wiredOf(meters);
    const keys = this.#names(limiter, subject, suffixes);
    return reading(await this.#wire.run(operations.peek, peekScript, keys, [`${weight}`, ...args]));
  }

  async refund(
    limiter: string,
    subject: string,
    meters: readonly Meter[],
    weight: number,
    atMs: number,
  ): Promise<boolean> {
    const { suffixes, args } = this.#wiredOf(meters);
    const [, ...keys] = this.#names(limiter, subject, suffixes);
    const told = [`${weight}`, `${atMs}`, this.#channel, subjectName(limiter, subject)];
    return (await this.#wire.run(operations.refund, refundScript, keys, [...told, ...args])) === 1;
  }

  async refundOnce(
    limiter: string,
    subject: string,
    meters: readonly Meter[],
    weight: number,
    atMs: number,
    operationId: string,
  ): Promise<boolean> {
    const { suffixes, args } = this.#wiredOf(meters);
    const [, ...used] = this.#names(limiter, subject, suffixes);
    const keys = [this.#operationKey(limiter, subject, operationId), ...used];
    const told = [`${weight}`, `${atMs}`, this.#channel, subjectName(limiter, subject)];
    return (await this.#wire.run(operations.refundOnce, refundOnceScript, keys, [...told, ...args])) === 1;
  }

  async block(limiter: string, subject: string, durationMs: number): Promise<void> {
    const args = [`${durationMs}`, this.#channel, subjectName(limiter, subject)];
    await this.#wire.run(operations.block, blockScript, this.#names(limiter, subject, []), args);
  }

  async reset(limiter: string, subject: string, meters: readonly Meter[]): Promise<boolean> {
    const keys = this.#names(limiter, subject, this.#wiredOf(meters).suffixes);
    const args = [this.#channel, subjectName(limiter, subject)];
    return (await this.#wire.run(operations.reset, resetScript, keys, args)) === 1;
  }

  #names(limiter: string, subject: string, suffixes: readonly string[]): string[] {
    const key = this.#keys.tagged('rate-limit', limiter, subject);
    return [`${key}:block`, ...suffixes.map((suffix) => key + suffix)];
  }

  #operationKey(limiter: string, subject: string, id: string): string {
    return operationKey(this.#keys.tagged('rate-limit', limiter, subject), id);
  }

  #wiredOf(meters: readonly Meter[]): Wired {
    const known = this.#wired.get(meters);
    if (known !== undefined) return known;
    const wired = { suffixes: meters.map(meterSuffix), args: meters.flatMap(meterArguments) };
    this.#wired.set(meters, wired);
    return wired;
  }
}

function meterArguments(meter: Meter): string[] {
  const [unit, refill, everyMs] =
    meter.kind === 'sliding-window' ? [1, meter.grainMs, meter.spanMs] : [meter.unit, meter.refill, meter.everyMs];
  return [meter.kind, `${meter.capacity}`, `${unit}`, `${refill}`, `${everyMs}`];
}

function reading(reply: unknown): Reading {
  const [allowed, atMs, blockedMs, ...numbers] = reply as [number, number, number, ...number[]];
  const meters: MeterReading[] = [];
  for (let index = 0; index < numbers.length; index += 3) {
    const [remaining = 0, resetMs = 0, retryAfterMs = 0] = numbers.slice(index, index + 3);
    meters.push({ remaining, resetMs, retryAfterMs });
  }
  return { allowed: allowed === 1, atMs, blockedMs, meters };
}
