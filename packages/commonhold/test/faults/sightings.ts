import { inspect } from 'node:util';
import { type Code, codeOf, type Expectation, type Feature, featureNames } from './codes.js';
import type { StallMeter } from './stall-meter.js';

/** Where a fault is: not yet begun, just begun and perhaps not noticed, noticed, over. */
export type Phase = 'before' | 'onset' | 'during' | 'after';

/** How a call ended: with an answer, or with an error of this code. */
export type Answer<Value> =
  | { readonly value: Value; readonly code?: undefined }
  | { readonly value?: undefined; readonly code: Code };

const slackMs = 50;

/** What is seen of all features while one fault comes and goes. */
export class Sightings {
  phase: Phase = 'before';
  /** What was wrong, in words, by feature. */
  readonly wrongs: { readonly feature: Feature; readonly what: string }[] = [];
  /** Calls that took longer than their deadline and 50 ms. */
  readonly late: string[] = [];
  /** Texts that must be in no output: they are looked for in each error and log line. */
  readonly secrets = new Set<string>();
  readonly leaks = new Set<string>();
  /** Milliseconds that calls took while the fault was noticed. */
  readonly awayMs: number[] = [];
  calls = 0;
  readonly #seen = new Map<string, Code[]>();
  readonly #open = new Set<string>();
  readonly #stalls: StallMeter;

  constructor(stalls: StallMeter) {
    this.#stalls = stalls;
  }

  /** Calls that have not settled. */
  get unsettled(): readonly string[] {
    return [...this.#open];
  }

  seen(feature: Feature, phase: Phase): readonly Code[] {
    return this.#seen.get(`${feature} ${phase}`) ?? [];
  }

  note(feature: Feature, code: Code, phase: Phase = this.phase): void {
    const key = `${feature} ${phase}`;
    const codes = this.#seen.get(key) ?? [];
    if (!codes.includes(code)) this.#seen.set(key, [...codes, code]);
  }

  /** Notes that something is wrong, which no cell allows. */
  wrong(feature: Feature, what: string): void {
    this.note(feature, '!!');
    if (!this.wrongs.some((known) => known.feature === feature && known.what === what)) {
      this.wrongs.push({ feature, what });
    }
  }

  /** Runs one call, which must settle by its deadline, and notes what `code` says of its answer. */
  async ask<Value>(
    feature: Feature,
    call: { readonly what: string; readonly limitMs: number },
    run: () => Promise<Value>,
    code: (value: Value) => Code | undefined,
  ): Promise<Answer<Value>> {
    const label = `${feature} ${call.what}, call ${(this.calls += 1)}`;
    this.#open.add(label);
    // A call that began before the fault was noticed shows what may be seen until then.
    const { phase } = this;
    const [sinceMs, stalledMs] = [performance.now(), this.#stalls.stalledMs];
    const settled = await run().then(
      (value): Answer<Value> => ({ value }),
      (error: unknown): Answer<Value> => ({ code: this.#failed(feature, call.what, error) }),
    );
    this.#open.delete(label);
    const tookMs = performance.now() - sinceMs;
    this.#judge(label, tookMs - (this.#stalls.stalledMs - stalledMs), call.limitMs);
    if (phase === 'during') this.awayMs.push(tookMs);
    const shown = settled.code ?? code(settled.value);
    if (shown !== undefined) this.note(feature, shown, phase);
    return settled;
  }

  /** Looks for secrets in what would be printed. */
  search(output: unknown, where: string): void {
    const text = typeof output === 'string' ? output : inspect(output, { depth: 8, showHidden: true });
    for (const secret of this.secrets) if (text.includes(secret)) this.leaks.add(where);
  }

  /** Why a cell is not as it should be; undefined when it is. */
  difference(feature: Feature, { during, after }: Expectation): string | undefined {
    const begun: readonly Code[] = [...during, 'OK', 'UN', 'OU'];
    const stray = [
      ...this.seen(feature, 'before').filter((code) => code !== 'OK'),
      ...this.seen(feature, 'onset').filter((code) => !begun.includes(code)),
      ...this.seen(feature, 'during').filter((code) => !during.includes(code)),
      ...this.seen(feature, 'after').filter((code) => !after.includes(code)),
    ];
    if (during.length > 0 && this.seen(feature, 'during').length === 0) return 'nothing was seen while it lasted';
    if (after.length > 0 && this.seen(feature, 'after').length === 0) return 'nothing was seen afterwards';
    return stray.length === 0 ? undefined : `unexpected ${[...new Set(stray)].join(' ')}`;
  }

  /** Every column at once. */
  eachFeature<Result>(of: (feature: Feature) => Result): Result[] {
    return featureNames.map((feature) => of(feature));
  }

  #failed(feature: Feature, what: string, error: unknown): Code {
    this.search(error, `an error of ${feature} ${what}`);
    const code = codeOf(error);
    if (code === '!!') this.wrong(feature, `${what}: ${error instanceof Error ? error.message : String(error)}`);
    return code;
  }

  #judge(label: string, tookMs: number, limitMs: number): void {
    if (tookMs > limitMs + slackMs)
      this.late.push(`${label}: ${Math.round(tookMs)} ms, at most ${limitMs} + ${slackMs}`);
  }
}
