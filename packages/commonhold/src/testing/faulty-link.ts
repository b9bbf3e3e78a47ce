import type { Backend, BackendStatus, PortSet, Ports, StoreLoss, StoreLossKind } from '../backend/backend.js';
import type { Unsubscribe } from '../backend/bus.js';
import { plainPorts } from '../backend/closed-ports.js';
import type { StoreUser } from '../backend/memory/memory-store.js';
import { unanswered } from '../backend/redis/classify.js';
import { LossWatch } from '../backend/redis/loss-watch.js';
import { nothingWaits } from '../backend/nothing-waits.js';
import { StatusWatch } from '../backend/status-watch.js';
import { type Clock, sleep } from '../clock.js';
import { StoreFullError, UnavailableError } from '../errors.js';
import type { Keys } from '../keys.js';
import type { NamedOperation } from '../operation.js';
import { DistantBus } from './distant-bus.js';
import { carriedPorts, deadlineMs, type PortCall, probeCall } from './port-calls.js';
import type { RecordedStore } from './recorded-store.js';

/**
 * How a store fails.
 *
 * - `unreachable`: nothing runs, and calls reject at once. Without `on` the connection is gone, as of a Redis that is down.
 * - `hang`: nothing runs and no answer comes, until the deadline of the call. Without `on` the connection is then gone.
 * - `lost reply`: calls run, and their callers are not told.
 * - `full`: calls that may write are refused, as by a Redis at its `maxmemory`.
 */
export type StoreFault = 'unreachable' | 'hang' | 'lost reply' | 'full';

/** What happens to a call on its way. */
export interface CallFate {
  readonly fault: StoreFault | undefined;
  readonly delayMs: number;
  /** Whether that is what happens to every call. */
  readonly always: boolean;
}

/** What a link is to. */
export interface LinkPlace {
  readonly recorded: RecordedStore;
  /** Whether it begins without a connection. */
  readonly away: boolean;
  fateOf(call: PortCall): CallFate;
  readonly onClose: () => void;
}

/** One state's connection to a faulty store. */
export class FaultyLink implements Backend {
  readonly ports: Ports;
  readonly portFor: PortSet['portFor'];
  readonly closePorts: () => void;
  readonly bus: DistantBus;
  readonly remote = true;
  readonly spools: boolean = nothingWaits.spools;
  readonly onConflict: Backend['onConflict'] = nothingWaits.onConflict;
  readonly awayCounts: Backend['awayCounts'] = nothingWaits.awayCounts;
  readonly flush: Backend['flush'] = nothingWaits.flush;
  readonly rawClient = undefined;
  readonly #place: LinkPlace;
  readonly #clock: Clock;
  readonly #status = new StatusWatch();
  readonly #losses: LossWatch;
  readonly #waiting = new Set<(why: string) => void>();
  #hung: (() => void)[] = [];
  /** How often it was mended: what hung before says nothing about it now. */
  #mends = 0;
  #subscriptions: Unsubscribe[] = [];
  #awayFor: string | undefined;
  /** What the store lost since this was connected. */
  #missed: StoreLossKind | undefined;

  constructor({ keys, clock, log }: StoreUser, place: LinkPlace) {
    this.#place = place;
    this.#clock = clock;
    this.#losses = new LossWatch({ log });
    this.#awayFor = place.away ? 'it is told to be away' : undefined;
    ({ ports: this.ports, portFor: this.portFor, closePorts: this.closePorts } = this.portsFor(keys));
    this.bus = new DistantBus((channel) => this.#subscribe(channel));
  }

  get connected(): boolean {
    return this.#awayFor === undefined;
  }

  portsFor(keys: Keys): PortSet {
    return plainPorts(carriedPorts((call) => this.#carry(call, keys)));
  }

  status(): BackendStatus {
    if (this.#awayFor === undefined) return { kind: 'redis', connected: true, version: 'in this process' };
    return { kind: 'redis', connected: false, reason: this.#awayFor };
  }

  onStatusChange(listener: () => void): Unsubscribe {
    return this.#status.on(listener);
  }

  onLoss(listener: (loss: StoreLoss) => void): Unsubscribe {
    return this.#losses.on(listener);
  }

  async probe(): Promise<void> {
    await this.#fated(probeCall, () => Promise.resolve());
  }

  async close(): Promise<void> {
    this.#place.onClose();
    this.#unsubscribe();
    this.#settleAll('the state was closed');
  }

  /** The store lost data, of which is told when this is connected again. */
  miss(kind: StoreLossKind): void {
    this.#missed = this.#missed === 'empty' ? 'empty' : kind;
  }

  /** The connection breaks: what is under way has no answer, and nothing is heard until {@link restore}. */
  lose(why: string): void {
    if (this.#awayFor !== undefined) return;
    this.#awayFor = why;
    this.#hung = [];
    this.#unsubscribe();
    this.bus.broken();
    this.#settleAll(why);
    this.#status.changed();
  }

  /** All is well: what hangs arrives, unless its connection was given up, and one that broke is back. */
  restore(): void {
    this.#mends++;
    for (const arrive of this.#hung.splice(0)) arrive();
    if (this.#awayFor === undefined) return;
    this.#awayFor = undefined;
    for (const channel of this.bus.channels) void this.#subscribe(channel);
    this.#backAfter(this.#missed);
    this.#missed = undefined;
    this.#status.changed();
  }

  #backAfter(loss: StoreLossKind | undefined): void {
    if (loss === undefined) this.bus.restored();
    else this.#losses.tell({ kind: loss, node: 'in this process' }, this.bus);
  }

  #carry(call: PortCall, keys: Keys): Promise<unknown> {
    return this.#fated(call, () => this.#place.recorded.run(call, keys));
  }

  async #fated(call: PortCall, run: () => Promise<unknown>): Promise<unknown> {
    const { operation } = call;
    if (this.#awayFor !== undefined) throw new UnavailableError(operation.name, this.#awayFor);
    const { fault, delayMs, always } = this.#place.fateOf(call);
    if (fault === 'unreachable') throw new UnavailableError(operation.name, 'it is told to fail');
    if (fault === 'full' && operation.kind !== 'read') throw new StoreFullError('The store', 'it is told to be full');
    if (fault === 'hang') return this.#inTime(operation, run, this.#mended(), always);
    if (delayMs > 0)
      return this.#inTime(operation, run, sleep(this.#clock, delayMs, undefined, { keepAlive: true }), false);
    const reply = await run();
    if (fault === 'lost reply') throw unanswered(operation, 'its answer was lost');
    return reply;
  }

  // A connection on which nothing comes within the deadline is given up.
  #inTime(
    operation: NamedOperation,
    run: () => Promise<unknown>,
    arrived: Promise<void>,
    givesUp: boolean,
  ): Promise<unknown> {
    const mends = this.#mends;
    const withinMs = deadlineMs[operation.deadline];
    return new Promise((resolve, reject) => {
      const settle = (how: () => void): void => {
        deadline.cancel();
        if (this.#waiting.delete(end)) how();
      };
      const end = (why: string): void => settle(() => reject(unanswered(operation, why)));
      const late = (): void => {
        end(`no answer within ${withinMs} ms`);
        if (givesUp && mends === this.#mends) this.lose('it hangs');
      };
      const deadline = this.#clock.setTimer(late, withinMs, { keepAlive: true });
      this.#waiting.add(end);
      arrived.then(run).then(
        (reply) => settle(() => resolve(reply)),
        (error: unknown) => settle(() => reject(error)),
      );
    });
  }

  #mended(): Promise<void> {
    return new Promise((resolve) => this.#hung.push(resolve));
  }

  async #subscribe(channel: string): Promise<void> {
    if (this.#awayFor !== undefined) return;
    const { bus } = this.#place.recorded.store;
    this.#subscriptions.push(await bus.subscribe(channel, (message) => this.bus.hear(channel, message)));
  }

  #unsubscribe(): void {
    for (const unsubscribe of this.#subscriptions.splice(0)) unsubscribe();
  }

  #settleAll(why: string): void {
    for (const end of [...this.#waiting]) end(why);
  }
}
