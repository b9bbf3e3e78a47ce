import type { Unsubscribe } from '../backend/bus.js';
import type { FeatureContext } from '../feature-context.js';
import type { Keys } from '../keys.js';
import type { RuleSet } from './rule-set.js';
import { later, type RateLimitVerdict } from './verdict.js';

/** Where limiters tell each other which subjects to forget. */
export function forgetChannel(keys: Keys): string {
  return keys.tagged('rate-limit', 'forget');
}

interface Refusal {
  readonly rules: RuleSet;
  readonly verdict: RateLimitVerdict;
  /** Monotonic, after the answer came. */
  readonly knownAtMs: number;
  /** Monotonic: when the store may admit the hit. Counted from before the question, so that nobody is kept out too long. */
  readonly endsAtMs: number;
}

/** About 3 MB at most. */
const mostRefusals = 10_000;

/**
 * Refused subjects of this process, all limiters together: until its time has come, a hit that was refused is refused again
 * without asking the store. The oldest make room for new ones. A refund, reset or block by any process ends the memory of
 * its subject; a break of the link ends all.
 *
 * The idea is `inMemoryBlockOnConsumed` of rate-limiter-flexible and the ephemeral cache of @upstash/ratelimit; what they
 * remember holds although the subject was reset meanwhile.
 */
export class RefusalMemory {
  readonly #context: FeatureContext;
  readonly #refusals = new Map<string, Refusal>();
  readonly #undo: Unsubscribe[] = [];
  #hearing: 'no' | 'soon' | 'yes' | 'closed' = 'no';
  #forgotten = 0;

  constructor(context: FeatureContext) {
    this.#context = context;
  }

  /** How often anything was forgotten: what was asked before and answered after is not to be remembered. */
  get forgotten(): number {
    return this.#forgotten;
  }

  get isEmpty(): boolean {
    return this.#refusals.size === 0;
  }

  /** The refusal of a hit of `weight`, if the store is known to refuse it. */
  recall(subject: string, rules: RuleSet, weight: number): RateLimitVerdict | undefined {
    const refusal = this.#refusals.get(subject);
    if (refusal === undefined) return undefined;
    const now = this.#context.clock.monotonic();
    if (now >= refusal.endsAtMs) return void this.#refusals.delete(subject);
    const { verdict, knownAtMs } = refusal;
    // A lighter hit may fit, and a heavier one must wait longer.
    if (refusal.rules !== rules || weight !== verdict.weight) return undefined;
    return later(verdict, now - knownAtMs);
  }

  /** Keeps a refusal that was asked for at `sentAtMs`, when `forgotten` was what it was. */
  remember(subject: string, rules: RuleSet, verdict: RateLimitVerdict, sentAtMs: number, forgotten: number): void {
    if (this.#hearing !== 'yes') return this.#listen();
    if (forgotten !== this.#forgotten) return;
    const knownAtMs = this.#context.clock.monotonic();
    this.#refusals.delete(subject);
    if (this.#refusals.size >= mostRefusals) this.#dropOldest();
    this.#refusals.set(subject, { rules, verdict, knownAtMs, endsAtMs: sentAtMs + verdict.retryAfterMs });
  }

  forget(subject: string): void {
    this.#forgotten += 1;
    this.#refusals.delete(subject);
  }

  close(): void {
    this.#hearing = 'closed';
    for (const undo of this.#undo.splice(0)) undo();
    this.#refusals.clear();
  }

  #forgetAll(): void {
    this.#forgotten += 1;
    this.#refusals.clear();
  }

  #dropOldest(): void {
    const [oldest] = this.#refusals.keys();
    if (oldest !== undefined) this.#refusals.delete(oldest);
  }

  // A process that refuses nobody needs no subscription.
  #listen(): void {
    if (this.#hearing !== 'no') return;
    this.#hearing = 'soon';
    const { bus, keys } = this.#context;
    const heard = bus.subscribe(forgetChannel(keys), (subject) => this.forget(subject.toString()));
    void heard.then(
      (undo) => this.#hear(undo),
      () => this.#hear(undefined),
    );
  }

  // Who cannot hear remembers nothing.
  #hear(undo: Unsubscribe | undefined): void {
    if (this.#hearing === 'closed') return undo?.();
    if (undo !== undefined)
      this.#undo.push(
        undo,
        this.#context.bus.onRestored(() => this.#forgetAll()),
      );
    this.#hearing = undo === undefined ? 'no' : 'yes';
  }
}
