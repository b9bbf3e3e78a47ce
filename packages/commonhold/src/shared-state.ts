import { type AwayChoices, awayChoice } from './away.js';
import type { Backend, BackendStatus, Ports } from './backend/backend.js';
import { backendView } from './backend/backend-view.js';
import { CloseLimit, type CloseReport, type StateCloseOptions } from './close-report.js';
import { type StateEvents, StateEmitter, type StateListener } from './state-events.js';
import { Beat } from './beat.js';
import { Cache } from './cache/cache.js';
import { CacheListeners } from './cache/cache-listeners.js';
import type { CacheOptions } from './cache/cache-options.js';
import { Channel, type ChannelOptions } from './channel/channel.js';
import { SubscriptionSet } from './channel/subscription-set.js';
import { Concurrency, type ConcurrencyOptions } from './concurrency/concurrency.js';
import { Counter, type CounterOptions } from './counter/counter.js';
import type { Duration } from './duration.js';
import { ClosedError } from './errors.js';
import { Every, type Tick } from './every/every.js';
import type { FeatureContext } from './feature-context.js';
import { encodePart } from './keys.js';
import { Leader } from './leader/leader.js';
import { leaseDurationMs } from './lease-keeper.js';
import { SharedMap } from './map/map.js';
import type { MapOptions } from './map/map-options.js';
import { UpdateTurns } from './map/update-turns.js';
import { OpenedNames } from './opened-names.js';
import { Owners } from './owners/owners.js';
import { Presence } from './presence/presence.js';
import type { PresenceOptions } from './presence/presence-options.js';
import { Lock, type LockOptions } from './lock/lock.js';
import { ReadWriteLock, type ReadWriteLockOptions } from './lock/read-write-lock.js';
import { Queue } from './queue/queue.js';
import type { JobSchemas, QueueOptions } from './queue/queue-options.js';
import { Patience } from './rate-limit/patience.js';
import { RateLimit, type RateLimitOptions } from './rate-limit/rate-limit.js';
import { RefusalMemory } from './rate-limit/refusal-memory.js';
import type { RateLimitRules } from './rate-limit/rule-set.js';
import type { SchemaOption } from './schema.js';
import { RunOnce, type RunOnceOptions } from './run-once/run-once.js';
import { Sessions } from './session/session.js';
import type { SessionSchemas, SessionsOptions } from './session/session-options.js';
import { StateViews, type ViewOptions } from './state-views.js';
import { UniqueSet, type UniqueSetOptions } from './unique-set/unique-set.js';
import { Tenure } from './tenure.js';
import type { ScheduleTimes } from './ticks.js';

/** What a state lends to a view of it. */
interface StateHost {
  readonly beat: Beat;
  readonly onClosed: () => void;
}

/** Shared state: every feature, over one store. Made by `openState`; closed with `close()` or `await using`. */
export class SharedState {
  readonly #backend: Backend;
  readonly #context: FeatureContext;
  readonly #closing: ((limit: CloseLimit) => Promise<unknown>)[] = [];
  readonly #subscriptions: SubscriptionSet;
  readonly #cacheListeners: CacheListeners;
  readonly #mapTurns = new UpdateTurns();
  readonly #beat: Beat;
  readonly #owners: Owners;
  readonly #tenure: Tenure;
  readonly #refusals: RefusalMemory;
  readonly #patience: Patience;
  readonly #opened = new OpenedNames();
  readonly #views = new StateViews<SharedState>();
  readonly #host: StateHost | undefined;
  /** For features that speak through a channel of their own. */
  readonly #openChannel = <Message>(name: string, options: ChannelOptions): Channel<Message> =>
    this.#channel<Message>(name, options);
  readonly #events: StateEmitter;
  #closed: Promise<CloseReport> | undefined;
  #disconnected: Promise<void> | undefined;

  /** Use `openState`. @param host what the state that this is a view of lends to it. */
  constructor(backend: Backend, context: FeatureContext, host?: StateHost) {
    this.#backend = backend;
    this.#context = context;
    this.#subscriptions = new SubscriptionSet(context.bus, context.clock);
    this.#closing.push(() => this.#subscriptions.close());
    this.#cacheListeners = new CacheListeners({ ...context, bus: backend.cacheBus ?? context.bus });
    this.#closing.push(() => this.#cacheListeners.close());
    this.#tenure = new Tenure(context);
    this.#refusals = new RefusalMemory(context);
    this.#patience = new Patience(context.clock);
    this.#closing.push(async () => {
      this.#refusals.close();
      this.#patience.close();
    });
    this.#host = host;
    this.#beat = host?.beat ?? new Beat(context.clock, context.random, context.log, context.bus);
    this.#owners = new Owners(backend.ports.owners, context, { beat: this.#beat, openChannel: this.#openChannel });
    this.#closing.push(() => this.#owners.close());
    this.#closing.push((limit) => this.#views.close(limit));
    this.#events = new StateEmitter(backend, context);
    const unwatch = backend.onLoss(() => this.#restore());
    this.#closing.push(async () => unwatch());
  }

  /** What all keys begin with. */
  get namespace(): string {
    return this.#context.keys.namespace;
  }

  /** `name#incarnation` of this process, which its leases and records carry. */
  get owner(): string {
    return this.#context.owner.id;
  }

  /** The node-redis client in use, for what this library does not do; undefined in memory. */
  get rawClient(): unknown {
    return this.#backend.rawClient;
  }

  /** Values by key, for a time. */
  cache<Value>(name: string, options: CacheOptions & SchemaOption<Value> = {}): Cache<Value> {
    const port = () => this.#choose('cache', `cache ${name}`, options.away);
    const make = () => new Cache<Value>(name, options, port(), this.#context, this.#cacheListeners);
    return this.#named('cache', name, options, make);
  }

  /** Messages to whoever listens, with history: who was away reads what was missed. */
  channel<Message>(name: string, options: ChannelOptions & SchemaOption<Message> = {}): Channel<Message> {
    return this.#named('channel', name, options, () => this.#channel<Message>(name, options));
  }

  /** A limit on how much each subject may do at once: `limit` slots, each held until it is released. */
  concurrency(name: string, limit: number, options: ConcurrencyOptions = {}): Concurrency {
    const make = () => new Concurrency(name, limit, options, this.#open().concurrency, this.#context, this.#tenure);
    return this.#named('concurrency', name, { ...options, limit }, make);
  }

  /** A whole number that every process may add to. */
  counter(name: string, options: CounterOptions = {}): Counter {
    const port = () => this.#choose('counter', `counter ${name}`, options.away);
    return this.#named('counter', name, options, () => new Counter(name, options, port()));
  }

  /** A dictionary that every process shares. */
  map<Value>(name: string, options: MapOptions & SchemaOption<Value> = {}): SharedMap<Value> {
    const home = {
      turns: this.#mapTurns,
      onReplica: (replica: { close(): void }) => void this.#closing.push(async () => replica.close()),
      openChannel: this.#openChannel,
    };
    const ports = () => ({
      map: this.#choose('map', `map ${name}`, options.away),
      plainMap: this.#choose('plainMap', `map ${name}`, options.away),
    });
    const make = () => new SharedMap<Value>(name, options, ports(), this.#context, home);
    return this.#named('map', name, options, make);
  }

  /** The processes that are alive, what each holds, and what dead ones have left. */
  get owners(): Owners {
    return this.#owners;
  }

  /** Who is there, in which region, over all processes; `Meta` says what is known of each. */
  presence<Meta = undefined>(name: string, options: PresenceOptions = {}): Presence<Meta> {
    const home = {
      beat: this.#beat,
      openChannel: this.#openChannel,
      onUse: (close: () => Promise<void>) => {
        this.#closing.push(close);
        this.#owners.attend();
      },
    };
    const port = () => this.#choose('presence', `presence ${name}`, options.away);
    const make = () => new Presence<Meta>(name, options, port(), this.#context, home);
    return this.#named('presence', name, options, make);
  }

  /** A limit on how often each subject may do something, such as `'5 per hour'`, or several that must all hold. */
  rateLimit(name: string, rules: RateLimitRules, options: RateLimitOptions = {}): RateLimit {
    const place = { refusals: this.#refusals, patience: this.#patience };
    // Limiters of one name may have other rules: by plan, or while they are being changed.
    const port = this.#choose('rateLimit', `rate limit ${name}`, options.away);
    return new RateLimit(name, rules, options, port, this.#context, place);
  }

  /** Work that survives whoever does it. */
  queue<Data, Result = void>(name: string, options: QueueOptions & JobSchemas<Data, Result> = {}): Queue<Data, Result> {
    const home = {
      onUse: (close: (limit: CloseLimit) => Promise<void>) => void this.#closing.push(close),
      openChannel: this.#openChannel,
      spools: this.#backend.spools && (options.away ?? this.#context.away.queue) === 'buffer',
    };
    const port = () => this.#choose('queue', `queue ${name}`, options.away);
    const make = () => new Queue<Data, Result>(name, options, port(), this.#context, home);
    return this.#named('queue', name, options, make);
  }

  /** One holder at a time over all processes. */
  lock(name: string, options: LockOptions = {}): Lock {
    const make = () => new Lock(name, options, this.#open().lock, this.#context, this.#tenure);
    return this.#named('lock', name, options, make);
  }

  /** One who writes or any number who read, over all processes. */
  readWriteLock(name: string, options: ReadWriteLockOptions = {}): ReadWriteLock {
    const make = () => new ReadWriteLock(name, options, this.#open().readWriteLock, this.#context, this.#tenure);
    return this.#named('read-write lock', name, options, make);
  }

  /** One leader over all processes that stand for election. */
  leader(name: string, options: LockOptions = {}): Leader {
    encodePart(name);
    const make = () => {
      const lock = new Lock(`leader:${name}`, options, this.#open().lock, this.#context, this.#tenure, 'wait');
      const onUse = (resign: () => void): void => void this.#closing.push(async () => resign());
      return new Leader(name, this.#context, { lock, open: () => void this.#open(), onUse });
    };
    return this.#named('leader', name, options, make);
  }

  /**
   * Runs `work` once at each tick, over all processes that have the schedule, until the returned schedule or the state is
   * closed: each gives it the same name and times, `'1h'` at every full hour UTC or `{ cron: '30 4 * * mon-fri' }`. Never two
   * at once. What throws is logged, and runs again at the next tick; a tick whose process died is done by another. Of the
   * ticks that were missed, also while no process was there, the last is made up for.
   */
  every(
    name: string,
    times: Duration | ScheduleTimes,
    work: (tick: Tick) => unknown,
    options: LockOptions = {},
  ): Every {
    encodePart(name);
    const lockName = `every:${name}`;
    const { lock: port } = this.#open();
    const schedule = new Every(name, typeof times === 'object' ? times : { every: times }, work, {
      lock: new Lock(lockName, options, port, this.#context, this.#tenure, 'wait'),
      done: this.map(lockName),
      now: () => port.now(lockName),
      leaseMs: leaseDurationMs(options.lease ?? '10s', 'every lease'),
      context: this.#context,
    });
    this.#closing.push(async () => schedule.stop());
    return schedule;
  }

  /** Work that runs once per key over all processes, and whose result everybody gets. */
  runOnce<Result>(name: string, options: RunOnceOptions & SchemaOption<Result> = {}): RunOnce<Result> {
    const make = () => new RunOnce<Result>(name, options, this.#open().runOnce, this.#context, this.#tenure);
    return this.#named('run-once', name, options, make);
  }

  /** Logins by token, each with fields of its own; `Data` says which. */
  sessions<Data extends object = Record<string, unknown>>(
    name: string,
    options: SessionsOptions & SessionSchemas<Data> = {},
  ): Sessions<Data> {
    const port = () => this.#choose('session', `sessions ${name}`, options.away);
    const onUse = (close: () => Promise<void>): void => void this.#closing.push(close);
    const make = () => new Sessions<Data>(name, options, port(), this.#context, onUse);
    return this.#named('sessions', name, options, make);
  }

  /** Texts that every process may add, each held once. */
  uniqueSet(name: string, options: UniqueSetOptions = {}): UniqueSet {
    const port = () => this.#choose('uniqueSet', `unique set ${name}`, options.away);
    const make = () => new UniqueSet(name, options, port(), this.#context.keys);
    return this.#named('unique set', name, options, make);
  }

  /**
   * A view of this state for one tenant: every feature, over the same connection, with keys of its own that no other tenant
   * reaches. One view a tenant, so call it for each request if you like. It has this process as its owner, and is closed
   * with this state; closing it by itself ends what was begun through it, for all who use it.
   */
  with(options: ViewOptions): SharedState {
    this.#open();
    return this.#views.open(options, (tenant) => {
      const keys = this.#context.keys.within(tenant);
      const host = { beat: this.#beat, onClosed: () => this.#views.forget(tenant) };
      const view = new SharedState(backendView(this.#backend, keys), { ...this.#context, keys }, host);
      return { view, close: (limit) => (view.#closed ??= view.#closeWithin(limit)) };
    });
  }

  /** Where state lives and whether it can be reached; answers at once. */
  status(): BackendStatus {
    return this.#backend.status();
  }

  /**
   * How many calls of each operation (`counter.add`) this process answered without the store since the state was opened, by
   * their policy. Calls that rejected are not among them.
   */
  awayCounts(): ReadonlyMap<string, number> {
    return this.#backend.awayCounts();
  }

  /** Proves that the store takes writes; rejects with `Unavailable` or `OutcomeUnknown` within the deadline if not. */
  async probe(): Promise<void> {
    this.#open();
    await this.#backend.probe();
  }

  /**
   * Calls `listener` for each event of one kind from now on, until the returned function is called or the state is closed.
   * What it throws is logged. Of a store that cannot be reached from the start nothing is told: see `status()`.
   */
  on<Name extends keyof StateEvents>(name: Name, listener: StateListener<Name>): () => void {
    this.#open();
    return this.#events.on(name, listener);
  }

  /**
   * Stops what this state runs, lets calls in flight end within their deadline, and disconnects. From then on every call
   * rejects with `Closed`. With options it resolves to what had not ended by then. May be called twice; the options of the
   * first call hold.
   *
   * @throws InvalidArgumentError naming the option; the state is then not closed.
   */
  close(): Promise<void>;
  close(options: StateCloseOptions): Promise<CloseReport>;
  close(options: StateCloseOptions = {}): Promise<CloseReport | void> {
    this.#closed ??= this.#closeWithin(new CloseLimit(options));
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #closeWithin(limit: CloseLimit): Promise<CloseReport> {
    const inTime = await limit.within(this.#closeAll(limit), this.#context.clock);
    if (!inTime) {
      limit.abandon({ feature: 'store', what: 'calls in flight' });
      this.#disconnect().catch(() => undefined);
      this.#backend.close(true).catch(() => undefined);
    }
    const report = limit.report();
    this.#events.close(report);
    return report;
  }

  async #closeAll(limit: CloseLimit): Promise<void> {
    await Promise.allSettled(this.#closing.map((stop) => stop(limit)));
    // Jobs that are given time to end may hold locks.
    await this.#tenure.close(limit);
    if (this.#host === undefined) await this.#backend.flush();
    await this.#disconnect();
  }

  // Not twice: after the time is over this may be under way, or be come to later.
  #disconnect(): Promise<void> {
    this.#disconnected ??= this.#disconnectNow();
    return this.#disconnected;
  }

  async #disconnectNow(): Promise<void> {
    this.#backend.closePorts();
    if (this.#host === undefined) this.#context.wakes.close();
    else this.#host.onClosed();
    await this.#backend.close();
  }

  // The store lost data. The beat of a view is that of its host.
  #restore(): void {
    if (this.#host === undefined) this.#beat.lost();
    this.#subscriptions.lost();
  }

  #channel<Message>(name: string, options: ChannelOptions & SchemaOption<Message>): Channel<Message> {
    const port = this.#choose('channel', `channel ${name}`, options.away);
    return new Channel<Message>(name, options, port, this.#context, this.#subscriptions);
  }

  #named<Thing>(feature: string, name: string, options: object, make: () => Thing): Thing {
    this.#open();
    return this.#opened.open(feature, name, options, make);
  }

  #choose<Feature extends keyof AwayChoices>(
    feature: Feature,
    where: string,
    away: AwayChoices[Feature] | undefined,
  ): Ports[Feature] {
    this.#open();
    return this.#backend.portFor(feature, awayChoice(`${where}, away`, feature, away, this.#context.away[feature]));
  }

  #open(): Ports {
    if (this.#closed !== undefined) throw new ClosedError('This state');
    return this.#backend.ports;
  }
}
