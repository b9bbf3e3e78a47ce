import type { SharedMap } from '../../../src/map/map.js';
import type { Feature } from '../codes.js';
import { canaryValue, FeatureProbe } from '../probe.js';

/** An entry that stays, one that is written again and again, and one that is counted up. */
export class MapProbe extends FeatureProbe {
  readonly feature: Feature = 'MA';
  #map: SharedMap<string | number> | undefined;
  #written = 0;
  #updates = 0;
  #perhaps = 0;

  async prepare(): Promise<void> {
    this.#map = this.place.subject.map<string | number>('m');
    await this.#map.set('kept', canaryValue);
    await this.#map.set('number', 0);
    await this.#map.set('count', 0);
    await this.#map.get('kept');
  }

  async round(n: number): Promise<void> {
    const map = this.#map;
    if (map === undefined) return;
    await this.ask(
      'get',
      () => map.get('kept'),
      (value) => {
        if (value === canaryValue) return this.read;
        this.gone('an entry is gone');
        return undefined;
      },
    );
    await this.ask(
      'set',
      () => map.set('number', n),
      () => {
        this.#written = n;
        return this.written('BU');
      },
    );
    const counted = await this.ask(
      'update',
      () => map.update('count', (count) => Number(count ?? 0) + 1),
      () => {
        this.#updates += 1;
        return this.written('BU');
      },
      4,
    );
    if (counted.code === 'OU') this.#perhaps += 1;
  }

  async settle(): Promise<void> {
    const map = this.#map;
    if (map === undefined) return;
    const kept = await this.insist('get', () => map.get('kept'));
    if (kept !== canaryValue) return this.gone('an entry is gone');
    const fresh = await this.soon(async () => Number(await map.get('number')) >= this.#written);
    if (!fresh) return this.gone('a write that was taken is undone');
    let count = 0;
    const enough = await this.soon(async () => (count = Number(await map.get('count'))) >= this.#updates);
    if (!enough) return this.gone(`${this.#updates} updates counted ${count}`);
    if (count > this.#updates + this.#perhaps) this.wrong(`${this.#updates} updates counted ${count}`);
    else this.note('OK');
  }
}
