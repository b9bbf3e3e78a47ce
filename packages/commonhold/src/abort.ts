/** Who waits on a signal; the signal itself has one listener for all of them. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `listener` once when `signal` aborts, unless the returned function was called before. However many wait on one
 * signal, it has one listener, so that Node does not warn of a leak; when nobody waits any more, none.
 */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  if (signal === undefined) return nothing;
  const listeners = waiting.get(signal) ?? listenTo(signal);
  // One entry a call, so that a listener given twice leaves once.
  const own = (): void => listener();
  listeners.add(own);
  return () => {
    listeners.delete(own);
    if (listeners.size === 0) stopListening(signal);
  };
}

/** What `work` gives, or the reason of `signal` as soon as it aborts; `work` goes on in any case. */
export async function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (signal === undefined) return work;
  let stop: () => void = nothing;
  const aborted = new Promise<never>((_, reject) => {
    stop = onAbort(signal, () => reject(signal.reason as Error));
    if (signal.aborted) reject(signal.reason as Error);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    stop();
  }
}

function listenTo(signal: AbortSignal): Set<() => void> {
  const listeners = new Set<() => void>();
  waiting.set(signal, listeners);
  signal.addEventListener('abort', tellAll, { once: true });
  return listeners;
}

function stopListening(signal: AbortSignal): void {
  waiting.delete(signal);
  signal.removeEventListener('abort', tellAll);
}

function tellAll(this: AbortSignal): void {
  const listeners = waiting.get(this) ?? [];
  waiting.delete(this);
  for (const listener of listeners) listener();
}

function nothing(): void {
  // There is no signal to leave.
}
