import type { Backend } from './backend.js';

/** Of a backend that answers nothing by itself: no write waits for its store. */
export const nothingWaits: Pick<Backend, 'spools' | 'onConflict' | 'awayCounts' | 'flush'> = {
  spools: false,
  onConflict: () => () => undefined,
  awayCounts: () => new Map(),
  flush: () => Promise.resolve(),
};
