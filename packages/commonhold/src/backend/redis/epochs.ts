import type { Clock } from '../../clock.js';
import type { Keys } from '../../keys.js';
import type { NamedOperation } from '../../operation.js';
import type { Random } from '../../random.js';
import type { StoreLossKind } from '../backend.js';
import { loadScript, type Script } from './script.js';

/** What a pulse is called. */
export const pulsing: NamedOperation = {
  name: 'connection.pulse',
  kind: 'idempotent',
  away: 'refuse',
  deadline: 'state',
};
const pulseScript = loadScript(import.meta.url, 'pulse.lua');
/** The server remembers a process for an hour. After so long without an answer this is no longer relied on. */
const rememberedMs = 1_800_000;

/** Runs the script of a pulse. */
export type RunPulse = (
  operation: NamedOperation,
  script: Script,
  keys: readonly string[],
  args: readonly string[],
) => Promise<unknown>;

/** The answer to a pulse. */
export interface Pulse {
  /** How many processes gave a pulse within 12 s, this one among them. */
  readonly processes: number;
  /** What the server lost since this process heard of it last. */
  readonly loss: StoreLossKind | undefined;
}

type Answer = readonly [id: string, tick: string, before: string, processes: number];

interface KnownEpoch {
  readonly id: string;
  readonly tick: number;
  /** The pulse that this was answered to. */
  readonly number: number;
  readonly atMs: number;
}

/** Whose epochs. */
export interface EpochsOptions {
  /** `name#incarnation` of this process. */
  readonly owner: string;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly random: Random;
  /** Those by which a loss is judged, where they are not these: of a server that is in use in the place of this one. */
  readonly judge?: (() => Epochs) | undefined;
}

/**
 * What one process knows of the epochs of its servers, by key: the id, which is new where nothing was left, and the tick of
 * its own last pulse, which the server must still have. A key that moves to another master takes its epoch along.
 */
export class Epochs {
  readonly #owner: string;
  readonly #keys: Keys;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #judge: () => Epochs;
  readonly #known = new Map<string, KnownEpoch>();
  #sent = 0;

  constructor({ owner, keys, clock, random, judge = () => this }: EpochsOptions) {
    this.#owner = owner;
    this.#keys = keys;
    this.#clock = clock;
    this.#random = random;
    this.#judge = judge;
  }

  /** The key of an epoch. A single server has number 0; each master of a cluster the first that lies in a slot of its own. */
  key(number: number): string {
    return this.#keys.tagged('epoch', String(number));
  }

  /** Gives a pulse on `key`. Rejects as `run` does. */
  async pulse(key: string, run: RunPulse): Promise<Pulse> {
    const number = ++this.#sent;
    const sentAtMs = this.#clock.monotonic();
    const judge = this.#judge();
    const known = judge.#known.get(key);
    const remembered = known !== undefined && sentAtMs - known.atMs < rememberedMs;
    const fresh = this.#random.bytes(8).toString('hex');
    const args = [this.#owner, fresh, known?.id ?? '', String(known?.tick ?? 0), remembered ? '1' : '0'];
    const [id, tick, before, processes] = (await run(pulsing, pulseScript, [key], args)) as Answer;
    const answered = { id, tick: Number(tick), number, atMs: sentAtMs };
    return { processes, loss: this.#note(key, answered, before, judge) };
  }

  // Over two connections answers may come in another order than the server gave them.
  #note(key: string, answered: KnownEpoch, before: string, judge: Epochs): StoreLossKind | undefined {
    const [own, known] = [this.#known.get(key), judge.#known.get(key)];
    if (own !== undefined && own.number > answered.number) return undefined;
    this.#known.set(key, answered);
    if (known === undefined || known.id === answered.id) return undefined;
    if (before === known.id) return 'rolledBack';
    // Another server may never have had it.
    return judge === this ? 'empty' : undefined;
  }
}
