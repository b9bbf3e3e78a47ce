import type { RedisWire } from '../backend/redis/redis-wire.js';
import { loadScript } from '../backend/redis/script.js';
import type { Keys } from '../keys.js';
import { rateLimitOperations as operations } from './rate-limit-operations.js';
import {
  type FixedWindow,
  fixedWindowVerdict,
  type RateLimitPort,
  type RateLimitVerdict,
  ruleSuffix,
} from './rate-limit-port.js';

const consumeScript = loadScript(import.meta.url, 'consume-fixed-window.lua');
const peekScript = loadScript(import.meta.url, 'peek-fixed-window.lua');

/** An open window is one string key, the units used, that expires with the window's last millisecond. */
export class RedisRateLimit implements RateLimitPort {
  readonly #wire: RedisWire;
  readonly #keys: Keys;

  constructor(wire: RedisWire, keys: Keys) {
    this.#wire = wire;
    this.#keys = keys;
  }

  async consume(limiter: string, subject: string, rule: FixedWindow, weight: number): Promise<RateLimitVerdict> {
    const keys = [this.#key(limiter, subject, rule)];
    const args = [String(rule.limit), String(rule.windowMs), String(weight)];
    const reply = await this.#wire.run(operations.consume, consumeScript, keys, args);
    const [admitted, used, resetMs] = reply as [number, number, number];
    return fixedWindowVerdict(rule, admitted === 1, used, resetMs);
  }

  async peek(limiter: string, subject: string, rule: FixedWindow): Promise<RateLimitVerdict> {
    const reply = await this.#wire.run(operations.peek, peekScript, [this.#key(limiter, subject, rule)], []);
    const [used, resetMs] = reply as [number, number];
    return fixedWindowVerdict(rule, used < rule.limit, used, resetMs);
  }

  async reset(limiter: string, subject: string, rule: FixedWindow): Promise<boolean> {
    return (await this.#wire.command(operations.reset, ['DEL', this.#key(limiter, subject, rule)])) === 1;
  }

  #key(limiter: string, subject: string, rule: FixedWindow): string {
    return this.#keys.tagged('rate-limit', limiter, subject) + ruleSuffix(rule);
  }
}
