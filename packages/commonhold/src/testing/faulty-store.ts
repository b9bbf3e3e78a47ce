import type { Backend } from '../backend/backend.js';
import { MemoryStore, type MemoryStoreOptions, type StoreUser } from '../backend/memory/memory-store.js';
import { systemClock } from '../clock.js';
import { type Duration, durationMs } from '../duration.js';
import { InvalidArgumentError } from '../errors.js';
import type { NamedOperation } from '../operation.js';
import { checkOptionNames, type OptionNames } from '../option-names.js';
import { type CallFate, FaultyLink, type StoreFault } from './faulty-link.js';
import { operationNames, type PortCall } from './port-calls.js';
import { RecordedStore } from './recorded-store.js';

/** Which calls a fault is for. */
export interface FaultScope {
  /** A feature, such as `'lock'`, or an operation of one, such as `'lock.acquire'`. Default: every call. */
  readonly on?: string;
  /** Only this one of them, 1 for the next. Default: all. */
  readonly call?: number;
}

interface PlannedFault extends CallFate {
  readonly on: string | undefined;
  /** How many calls come before the one that it is for; undefined where it is for all. */
  callsBefore: number | undefined;
}

const scopeNames = { on: true, call: true } satisfies OptionNames<FaultScope>;
const faults: ReadonlySet<string> = new Set<StoreFault>(['unreachable', 'hang', 'lost reply', 'full']);
const healthy: CallFate = { fault: undefined, delayMs: 0, always: true };

/**
 * A store in memory that fails when it is told to, to test what an application does without Redis, with no Redis. A state
 * opened with `{ memory: store }` behaves as one whose Redis is in that condition: status and events, what each feature does
 * meanwhile, and what is brought to the store afterwards.
 */
export class FaultyStore extends MemoryStore {
  readonly #recorded: RecordedStore;
  readonly #links = new Set<FaultyLink>();
  #faults: PlannedFault[] = [];

  /** Use `createFaultyStore`. */
  constructor(options: MemoryStoreOptions = {}) {
    super(options);
    this.#recorded = new RecordedStore({ clock: systemClock, ...options });
  }

  /**
   * Fails from now on, or where `scope` says, until {@link mend}. Of several faults for one call the last holds.
   * @throws InvalidArgumentError for an unknown fault, feature or operation.
   */
  fail(fault: StoreFault, scope: FaultScope = {}): void {
    if (!faults.has(fault)) throw new InvalidArgumentError('fail', `one of ${[...faults].join(', ')}`, fault);
    this.#plan({ fault, delayMs: 0 }, scope);
    if (this.#away) for (const link of this.#links) link.lose('it is told to be away');
  }

  /** Lets calls take so much longer. One that takes longer than its deadline runs all the same. */
  slow(by: Duration, scope: FaultScope = {}): void {
    this.#plan({ fault: undefined, delayMs: durationMs(by, 'slow') }, scope);
  }

  /** Ends all faults. States are connected again at once, and find out what they missed. */
  mend(): void {
    this.#faults = [];
    for (const link of this.#links) link.restore();
  }

  /**
   * Loses the last `writes`, by default all there is, as a Redis that comes back from an old copy, or with nothing: states
   * see their connection break and return, and tell `stateLost`.
   */
  lose(writes: number = Infinity): void {
    if (!(writes >= 1)) throw new InvalidArgumentError('lose', 'a number of writes, 1 or more', writes);
    const links = [...this.#links].filter((link) => link.connected);
    for (const link of links) link.lose('it is told to lose data');
    this.#recorded.lose(writes);
    for (const link of this.#links) link.miss(writes === Infinity ? 'empty' : 'rolledBack');
    for (const link of links) link.restore();
  }

  override connect(user: StoreUser): Backend {
    const link: FaultyLink = new FaultyLink(user, {
      recorded: this.#recorded,
      away: this.#away,
      fateOf: (call) => this.#fateOf(call),
      onClose: () => void this.#links.delete(link),
    });
    this.#links.add(link);
    return link;
  }

  override close(): void {
    this.#recorded.close();
    super.close();
  }

  get #away(): boolean {
    return this.#faults.some(({ fault, always }) => fault === 'unreachable' && always);
  }

  #plan(fate: Omit<CallFate, 'always'>, scope: FaultScope): void {
    checkOptionNames('fault scope', scope, scopeNames);
    const { on, call } = scope;
    if (on !== undefined && !operationNames.has(on)) {
      throw new InvalidArgumentError('fault scope, on', 'a feature or an operation of one', on);
    }
    if (call !== undefined && !(Number.isInteger(call) && call >= 1)) {
      throw new InvalidArgumentError('fault scope, call', 'a whole number, 1 or more', call);
    }
    const always = on === undefined && call === undefined;
    this.#faults.unshift({ ...fate, on, always, callsBefore: call === undefined ? undefined : call - 1 });
  }

  #fateOf({ operation }: PortCall): CallFate {
    const planned = this.#faults.filter(({ on }) => on === undefined || isPartOf(operation, on));
    const due = planned.find(({ callsBefore }) => callsBefore === undefined || callsBefore === 0);
    for (const fault of planned) if (fault.callsBefore !== undefined) fault.callsBefore--;
    this.#faults = this.#faults.filter(({ callsBefore = 0 }) => callsBefore >= 0);
    return due ?? healthy;
  }
}

function isPartOf({ name }: NamedOperation, on: string): boolean {
  return name === on || name.startsWith(`${on}.`);
}

/** A store in memory that fails when it is told to; see {@link FaultyStore}. */
export function createFaultyStore(options: MemoryStoreOptions = {}): FaultyStore {
  return new FaultyStore(options);
}
