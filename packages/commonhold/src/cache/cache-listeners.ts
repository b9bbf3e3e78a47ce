import type { FeatureContext } from '../feature-context.js';
import { type CachePort, changesChannel } from './cache-port.js';
import { NearCache, type NearRules } from './near-cache.js';
import { TagMarks } from './tag-marks.js';

/** What the caches of one state hear of changes with: one near cache and one set of marks for each name. */
export class CacheListeners {
  readonly #context: Pick<FeatureContext, 'bus' | 'clock' | 'keys'>;
  readonly #nears = new Map<string, NearCache<unknown>>();
  readonly #marks = new Map<string, TagMarks>();

  constructor(context: Pick<FeatureContext, 'bus' | 'clock' | 'keys'>) {
    this.#context = context;
  }

  /** The near cache of a cache. The first rules that were given for a name hold. */
  near<Value>(name: string, rules: NearRules): NearCache<Value> {
    const known = this.#nears.get(name);
    if (known !== undefined) return known as NearCache<Value>;
    const { bus, clock, keys } = this.#context;
    const near = new NearCache<unknown>(rules, clock);
    this.#nears.set(name, near);
    near.open(bus, changesChannel(keys, name));
    return near as NearCache<Value>;
  }

  /** The marks of a cache's tags. */
  marks(name: string, port: CachePort): TagMarks {
    const known = this.#marks.get(name);
    if (known !== undefined) return known;
    const { bus, keys } = this.#context;
    const marks = new TagMarks(name, port);
    this.#marks.set(name, marks);
    marks.open(bus, changesChannel(keys, name));
    return marks;
  }

  async close(): Promise<void> {
    for (const listener of [...this.#nears.values(), ...this.#marks.values()]) listener.close();
  }
}
