/** A signal that aborts with the first of others, until it is let go of. */
export interface JoinedSignal extends Disposable {
  readonly signal: AbortSignal;
}

/** As `AbortSignal.any`, but with nothing left behind at signals that outlive it by far. */
export function joinSignals(...signals: readonly AbortSignal[]): JoinedSignal {
  const controller = new AbortController();
  const undo = signals.map((signal) => {
    const abort = (): void => controller.abort(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    return () => signal.removeEventListener('abort', abort);
  });
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      for (const remove of undo) remove();
    },
  };
}
