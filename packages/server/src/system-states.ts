import { type BackendStatus, type OpenOptions, openState, type SharedState } from 'commonhold';

/** Every state that systems opened, as the server needs them: their health, their probe, their end. */
export class SystemStates {
  readonly #states: SharedState[] = [];
  #probing: Promise<string[]> | undefined;

  /** As `openState`; the state is closed with the server. */
  async open(options: OpenOptions & { readonly namespace: string }): Promise<SharedState> {
    const state = await openState(options);
    this.#states.push(state);
    return state;
  }

  /** What each store says of itself; never waits. */
  statuses(): BackendStatus[] {
    return this.#states.map((state) => state.status());
  }

  /**
   * Writes to every store and reads back; resolves with the namespaces of those that failed. Asked again meanwhile, it gives
   * the answer under way: whoever may ask can do so without end.
   */
  probe(): Promise<string[]> {
    this.#probing ??= this.#probe().finally(() => (this.#probing = undefined));
    return this.#probing;
  }

  /** Where the state lives, for people: `in memory`, or host and port of Redis. */
  place(): string {
    const remote = this.#states.find((state) => state.status().kind === 'redis');
    if (remote === undefined) return 'in memory';
    const away = remote.status().connected ? '' : ', unreachable';
    return `Redis${address(remote.rawClient)}${away}`;
  }

  /** Closes them all, each within its deadline. */
  async close(): Promise<void> {
    await Promise.all(this.#states.map((state) => state.close()));
  }

  async #probe(): Promise<string[]> {
    const outcomes = await Promise.allSettled(this.#states.map((state) => state.probe()));
    const failed = this.#states.filter((_state, index) => outcomes[index]?.status === 'rejected');
    return failed.map((state) => state.namespace);
  }
}

/**
 * Host and port out of the client's own options: the URL they came from may hold a password. Nothing while none of several
 * servers can be reached, or where several are in use.
 */
function address(client: unknown): string {
  const known = client as { options?: { socket?: { host?: string; port?: number } } } | undefined;
  const { host, port } = known?.options?.socket ?? {};
  return host === undefined ? '' : ` at ${host}:${port}`;
}
