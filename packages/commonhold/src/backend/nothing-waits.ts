import type { Backend } from './backend.js';

/** Of a backend that answers nothing by itself: no write waits for its store. */
export const nothingWaits: Pick<Backend, 'onConflict' | 'awayCounts' | 'flush'> = {
  onConflict: () => () => undefined,
  awayCounts: () => new Map(),
  flush: () => Promise.resolve(),
};
