import type { RateLimit } from '../../../src/rate-limit/rate-limit.js';
import type { Feature } from '../codes.js';
import { FeatureProbe } from '../probe.js';

const plenty = 100_000;
const few = 5;

/** Hits with operation ids, all of which must count once; and a small limit that must hold. */
export class RateLimitProbe extends FeatureProbe {
  readonly feature: Feature = 'RL';
  readonly #unknown: string[] = [];
  #limit: RateLimit | undefined;
  #small: RateLimit | undefined;
  #admitted = 0;
  #local = 0;
  #admittedOfFew = 0;

  async prepare(): Promise<void> {
    this.#limit = this.place.subject.rateLimit('many', `${plenty} per day`);
    this.#small = this.place.subject.rateLimit('few', `${few} per day`);
    await this.#limit.consume('s', { operationId: 'first' });
    this.#admitted = 1;
  }

  async round(n: number): Promise<void> {
    const [limit, small] = [this.#limit, this.#small];
    if (limit === undefined || small === undefined) return;
    const operationId = `hit ${n}`;
    const answer = await this.ask(
      'consume',
      () => limit.consume('s', { operationId }),
      (verdict) => {
        if (!verdict.allowed) {
          this.wrong('a hit far below the limit was refused');
          return undefined;
        }
        if (verdict.local) this.#local += 1;
        else this.#admitted += 1;
        return verdict.local ? 'LL' : 'OK';
      },
    );
    if (answer.code === 'OU') this.#unknown.push(operationId);
    const scarce = await this.ask(
      'consume',
      () => small.consume('s', { operationId }),
      ({ local }) => (local ? 'LL' : 'OK'),
    );
    if (scarce.value?.allowed === true) this.#admittedOfFew += 1;
  }

  async settle(): Promise<void> {
    const limit = this.#limit;
    if (limit === undefined) return;
    for (const operationId of this.#unknown) {
      await this.insist('consume', () => limit.consume('s', { operationId }));
      this.#admitted += 1;
    }
    // What is lost begins a new window, and what is local has a share of its own.
    const windows = 1 + (this.place.loss === 'none' ? 0 : 1) + (this.#local > 0 ? 1 : 0);
    if (this.#admittedOfFew > few * windows) this.wrong(`${this.#admittedOfFew} hits were admitted of ${few}`);
    const verdict = await this.insist('peek', () => limit.peek('s'));
    const used = plenty - (verdict?.remaining ?? 0);
    // A local hit may have been counted by the store too, when that could not say so.
    if (used > this.#admitted + this.#local)
      this.wrong(`${used} hits are counted, and ${this.#admitted} were admitted`);
    else if (used < this.#admitted && this.place.loss === 'none')
      this.wrong(`${this.#admitted - used} of ${this.#admitted} hits were forgotten`);
    else this.note('OK');
  }
}
