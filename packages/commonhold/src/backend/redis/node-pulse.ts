import type { Log } from '../../log.js';
import type { StoreLossKind } from '../backend.js';
import { connectFailure, pulseVerdict } from './classify.js';
import type { Epochs, RunPulse } from './epochs.js';
import type { NodeWire } from './redis-wire.js';

/** What the pulse of one connection is made of. */
export interface PulsePlace {
  readonly epochs: Epochs;
  /** The key to write, in a slot that the server at `address` serves; undefined where it serves none that is known of. */
  keyFor(address: string): string | undefined;
}

/** Whom the pulse of a connection tells. */
export interface PulseListeners {
  /** What `refusing` or `processes` say has changed. */
  readonly onChange: () => void;
  readonly onLoss: (kind: StoreLossKind) => void;
}

/** Where a pulse is given. */
export interface PulsedNode {
  readonly address: string;
  readonly inCluster: boolean;
  readonly log: Log;
}

/** The pulse of one connection: proves that its server takes writes, and shows what that has lost. */
export class NodePulse {
  readonly #place: PulsePlace | undefined;
  readonly #node: PulsedNode;
  readonly #listeners: PulseListeners;
  #refusing: string | undefined;
  #processes: number | undefined;
  #counted = 0;
  #given = false;
  #running = false;
  #warned = false;

  /** Without a place it gives none. */
  constructor(place: PulsePlace | undefined, node: PulsedNode, listeners: PulseListeners) {
    this.#place = place;
    this.#node = node;
    this.#listeners = listeners;
  }

  /** Why the server takes no writes; undefined while it does, as far as is known. */
  get refusing(): string | undefined {
    return this.#refusing;
  }

  /** How many processes gave a pulse lately; undefined where that is not known. */
  get processes(): number | undefined {
    return this.#processes;
  }

  /** Whether the present connection has given one. */
  get given(): boolean {
    return this.#given;
  }

  /** Before a new connection is used. Rejects when the server is of no use. */
  async greet(wire: NodeWire): Promise<void> {
    this.#given = false;
    try {
      await this.give((...call) => wire.greetWith(...call));
    } catch (error) {
      if (this.#judge(error) === 'away') throw error;
    }
  }

  /** Has one given, if none is under way; false where there is none to give. What it shows of the connection its wire sees. */
  keep(wire: NodeWire): boolean {
    if (this.#key === undefined) return false;
    if (!this.#running) void this.#keepOne(wire);
    return true;
  }

  /** Rejects as any call does. */
  async give(run: RunPulse): Promise<void> {
    const key = this.#key;
    if (this.#place === undefined || key === undefined) return;
    const { processes, loss } = await this.#place.epochs.pulse(key, run);
    this.#given = true;
    this.#taken(processes);
    if (loss !== undefined) this.#listeners.onLoss(loss);
  }

  /** The server said that it takes no writes. */
  refused(reason: string): void {
    // Without a pulse nobody would learn of the end of it.
    if (this.#place === undefined || this.#refusing !== undefined) return;
    this.#refusing = reason;
    this.#node.log.warn({ reason }, 'Redis refuses writes: they fail until it takes them');
    this.#listeners.onChange();
  }

  get #key(): string | undefined {
    return this.#place?.keyFor(this.#node.address);
  }

  async #keepOne(wire: NodeWire): Promise<void> {
    this.#running = true;
    await this.give((...call) => wire.greetWith(...call)).catch((error: unknown) => this.#judge(error));
    this.#running = false;
  }

  // After a loss or a long break the first to come counts itself alone: the pulse before counts too.
  #taken(counted: number): void {
    const processes = Math.max(counted, this.#counted);
    this.#counted = counted;
    const changed = this.#refusing !== undefined || this.#processes !== processes;
    if (this.#refusing !== undefined) this.#node.log.info({}, 'Redis takes writes again');
    this.#refusing = undefined;
    this.#processes = processes;
    if (changed) this.#listeners.onChange();
  }

  #judge(error: unknown): ReturnType<typeof pulseVerdict> {
    const verdict = pulseVerdict(error, this.#node.inCluster);
    if (verdict === 'unseen' && !this.#warned) {
      this.#warned = true;
      const reason = connectFailure(error);
      this.#node.log.warn({ reason }, 'the key of the epoch cannot be written: a loss of data will not be noticed');
    }
    return verdict;
  }
}
