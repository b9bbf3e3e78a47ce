import type { FeatureContext } from '../feature-context.js';
import { changesChannel } from './cache-port.js';
import { NearCache, type NearRules } from './near-cache.js';

/** The near caches of one state, one for each cache however often that is asked for. */
export class NearCaches {
  readonly #context: Pick<FeatureContext, 'bus' | 'clock' | 'keys' | 'log'>;
  readonly #byName = new Map<string, NearCache<unknown>>();

  constructor(context: Pick<FeatureContext, 'bus' | 'clock' | 'keys' | 'log'>) {
    this.#context = context;
  }

  /** The first rules that were given for a name hold. */
  open<Value>(name: string, rules: NearRules): NearCache<Value> {
    const known = this.#byName.get(name);
    if (known !== undefined) return known as NearCache<Value>;
    const { bus, clock, keys, log } = this.#context;
    const near = new NearCache<unknown>(rules, clock);
    this.#byName.set(name, near);
    near.open(bus, changesChannel(keys, name)).catch((error: unknown) => {
      log.warn({ cache: name, error: String(error) }, 'a near cache hears nothing and keeps nothing');
    });
    return near as NearCache<Value>;
  }

  async close(): Promise<void> {
    for (const near of this.#byName.values()) near.close();
  }
}
