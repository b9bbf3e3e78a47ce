import type { Cache } from '../../../src/cache/cache.js';
import type { Code, Feature } from '../codes.js';
import { canaryValue, FeatureProbe } from '../probe.js';

/** Values that were stored before the fault, in a plain cache and in one that keeps them near. */
export class CacheProbe extends FeatureProbe {
  readonly feature: Feature = 'CA';
  #plain: Cache<string> | undefined;
  #near: Cache<string> | undefined;

  async prepare(): Promise<void> {
    this.#plain = this.place.subject.cache<string>('plain', { staleFor: '1h' });
    this.#near = this.place.subject.cache<string>('near', { near: true });
    const [plain, near] = [this.#plain, this.#near];
    // The deadline of a cache is short, and a process that has just begun may be slow.
    await this.insist('set', () => plain.set('known', canaryValue));
    await this.insist('set', () => near.set('known', canaryValue));
    await this.insist('get', () => near.get('known'));
  }

  async round(n: number): Promise<void> {
    const [plain, near] = [this.#plain, this.#near];
    if (plain === undefined || near === undefined) return;
    const code = (value: string | undefined): Code => this.#codeOf(value);
    await this.ask('get', () => plain.get('known'), code);
    await this.ask('get near', () => near.get('known'), code);
    await this.ask(
      'getOrSet',
      () => plain.getOrSet(`load ${n % 5}`, () => canaryValue),
      () => undefined,
      3,
    );
    await this.ask(
      'set',
      () => plain.set(`w${n}`, canaryValue),
      () => undefined,
    );
  }

  async settle(): Promise<void> {
    const plain = this.#plain;
    if (plain === undefined) return;
    const value = await this.insist('get', () => plain.get('known'));
    this.note(this.#codeOf(value));
    await this.insist('set', () => plain.set('again', canaryValue));
    if (!(await this.soon(async () => (await plain.get('again')) === canaryValue)))
      this.wrong('what is set is not got');
  }

  #codeOf(value: string | undefined): Code {
    if (value === undefined) return 'LD';
    if (value !== canaryValue) this.wrong('a value that nobody stored');
    return this.read;
  }
}
