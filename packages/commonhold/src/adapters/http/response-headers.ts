import type { ServerResponse } from 'node:http';

/** The headers of an answer, whichever framework sends it. */
export interface ResponseHeaders {
  /** Whether they are on their way, so that nothing can be added. */
  isSent(): boolean;
  get(name: string): number | string | readonly string[] | undefined;
  /** Sets or replaces. */
  set(name: string, value: string | readonly string[]): void;
}

/** Headers of Node's own answer; of none, as for an upgrade, they count as sent. */
export function nodeHeaders(response: ServerResponse | undefined): ResponseHeaders {
  return {
    isSent: () => response?.headersSent ?? true,
    get: (name) => response?.getHeader(name),
    set: (name, value) => void response?.setHeader(name, value),
  };
}
