import type { Clock, Timer } from '../../clock.js';
import { type CommonholdError, OutcomeUnknownError, UnavailableError } from '../../errors.js';
import type { NamedOperation } from '../../operation.js';
import { unanswered } from './classify.js';
import type { CommandArgument, ReplyOptions } from './redis-client.js';
import type { Script } from './script.js';

/** A script to run, and by when its caller is answered. */
export interface DurableStep {
  readonly operation: NamedOperation;
  readonly script: Script;
  readonly keys: readonly string[];
  readonly args: readonly CommandArgument[];
  readonly reply: ReplyOptions | undefined;
  /** Monotonic. */
  readonly dueAtMs: number;
}

/** What became of a step that ran. */
export interface DurableOutcome {
  readonly reply: unknown;
  /** Why it is no success although it ran; undefined when it is one. */
  readonly unconfirmed: CommonholdError | undefined;
  /** Whether the connection was cut off while confirmation was awaited, as it is by a master that steps down. */
  readonly cutOff: boolean;
}

/** Runs steps, and answers each when what it wrote outlives the server. */
export interface DurableRunner {
  /** Rejects when the step did not run, and when that is not known. */
  run(step: DurableStep): Promise<DurableOutcome>;
}

/** A step on its way: waiting, then sent, then stored, and settled by its deadline at the latest. */
export class DurableWrite {
  readonly step: DurableStep;
  readonly result: Promise<DurableOutcome>;
  readonly #timer: Timer;
  #stage: 'waiting' | 'sent' | 'stored' | 'settled' = 'waiting';
  #reply: unknown;
  #resolve: (outcome: DurableOutcome) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;

  constructor(step: DurableStep, clock: Clock) {
    this.step = step;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#timer = clock.setTimer(() => this.#expire(), Math.max(0, step.dueAtMs - clock.monotonic()));
  }

  get settled(): boolean {
    return this.#stage === 'settled';
  }

  /** Whether the server has it and nobody has confirmed it. */
  get stored(): boolean {
    return this.#stage === 'stored';
  }

  /** Runs it with `run`; resolves when it is stored or was refused. */
  async store(run: (step: DurableStep) => Promise<unknown>): Promise<void> {
    this.#stage = 'sent';
    try {
      this.#reply = await run(this.step);
      if (!this.settled) this.#stage = 'stored';
    } catch (error) {
      this.refuse(error as CommonholdError);
    }
  }

  confirm(): void {
    if (this.#settle()) this.#resolve({ reply: this.#reply, unconfirmed: undefined, cutOff: false });
  }

  /** It is stored, and will perhaps not outlive its server. */
  leaveUnconfirmed(cutOff: boolean): void {
    const { operation } = this.step;
    const retrySafe = operation.kind === 'idempotent';
    const advice = retrySafe
      ? 'The server has it. Send it again until that is confirmed: running twice equals running once.'
      : 'The server has it, and loses it if it dies now. Read the state before sending it again.';
    const unconfirmed = new OutcomeUnknownError(operation.name, nobodyConfirmed, retrySafe, { advice });
    if (this.#settle()) this.#resolve({ reply: this.#reply, unconfirmed, cutOff });
  }

  refuse(error: CommonholdError): void {
    if (this.#settle()) this.#reject(error);
  }

  #expire(): void {
    const { operation } = this.step;
    if (this.#stage === 'waiting') this.refuse(new UnavailableError(operation.name, 'its turn did not come'));
    else if (this.stored) this.leaveUnconfirmed(false);
    else this.refuse(unanswered(operation, 'no answer by its deadline'));
  }

  #settle(): boolean {
    if (this.settled) return false;
    this.#stage = 'settled';
    this.#timer.cancel();
    return true;
  }
}

const nobodyConfirmed = 'the server has it, and nothing confirmed in time that it outlives the server';
