import type { CommonholdError } from '../../errors.js';
import type { NamedOperation } from '../../operation.js';
import type { CommandArgument, ReplyOptions } from './redis-client.js';
import type { RedisWire } from './redis-wire.js';
import type { Script } from './script.js';

/** Where calls go, which may be another server at any time. */
export interface WirePlace {
  /** Another number after each move. */
  moves(): number;
  /** What to send over now; undefined when there is nothing. */
  wire(): RedisWire | undefined;
  /** Why there is nothing, to the caller of `operation`. */
  refusal(operation: NamedOperation): CommonholdError;
}

/** Sends each call over the connection in use at that moment; where there is none, it rejects at once. */
export class MovingWire implements RedisWire {
  /** Servers that are used one at a time are no cluster. */
  readonly clustered = false;
  readonly #place: WirePlace;

  constructor(place: WirePlace) {
    this.#place = place;
  }

  command(operation: NamedOperation, args: readonly CommandArgument[], reply?: ReplyOptions): Promise<unknown> {
    const wire = this.#place.wire();
    if (wire === undefined) return Promise.reject(this.#place.refusal(operation));
    return args[0] === 'SCAN' ? this.#scan(wire, operation, args, reply) : wire.command(operation, args, reply);
  }

  run(
    operation: NamedOperation,
    script: Script,
    keys: readonly string[],
    args: readonly CommandArgument[],
    reply?: ReplyOptions,
  ): Promise<unknown> {
    const wire = this.#place.wire();
    if (wire === undefined) return Promise.reject(this.#place.refusal(operation));
    return wire.run(operation, script, keys, args, reply);
  }

  // A cursor means nothing to another server: after a move the scan starts over there.
  async #scan(
    wire: RedisWire,
    operation: NamedOperation,
    [name = 'SCAN', cursor, ...rest]: readonly CommandArgument[],
    reply?: ReplyOptions,
  ): Promise<unknown> {
    const moves = this.#place.moves();
    const [begun, at] = String(cursor).split('.');
    const from = Number(begun) === moves ? (at ?? '0') : '0';
    const [next, found] = (await wire.command(operation, [name, from, ...rest], reply)) as [CommandArgument, unknown];
    const done = String(next) === '0' && this.#place.moves() === moves;
    return [done ? '0' : `${moves}.${String(next)}`, found];
  }
}
