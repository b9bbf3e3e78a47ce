/** What health says of a service. */
export type ServiceStatus = 'connected' | 'disconnected' | 'disabled' | 'active';

/** Resolves with a status, or rejects where the service does not do its work. */
export type ServiceCheck = () => Promise<ServiceStatus>;

/** How often, and how long at most, a service is asked. */
export interface CheckTimes {
  /** Default 2,000. */
  readonly intervalMs?: number;
  /** Default 1,000. */
  readonly deadlineMs?: number;
}

/**
 * The services that health lists, each with a check of its own. They are asked every two seconds, and health reads the
 * last verdict: whoever asks for health waits for nobody. A check that rejects, throws or takes more than a second
 * means `disconnected`; one that still runs is not started again. Until a first verdict a service counts as `connected`.
 */
export class ServiceChecks {
  readonly #statuses = new Map<string, () => ServiceStatus>();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #times: Required<CheckTimes>;

  constructor({ intervalMs = 2_000, deadlineMs = 1_000 }: CheckTimes = {}) {
    this.#times = { intervalMs, deadlineMs };
  }

  /** Adds a service under the name that health shows, after those before it. */
  add(name: string, check: ServiceCheck): void {
    let verdict: ServiceStatus = 'connected';
    let isAsking = false;
    const ask = async (): Promise<void> => {
      if (isAsking) return;
      isAsking = true;
      await this.#ask(check, (status) => (verdict = status));
      isAsking = false;
    };
    this.#statuses.set(name, () => verdict);
    this.#timers.push(setInterval(() => void ask(), this.#times.intervalMs).unref());
    void ask();
  }

  /** Adds a service whose status is known without asking. */
  show(name: string, status: () => ServiceStatus): void {
    this.#statuses.set(name, status);
  }

  /** What is known of each. */
  read(): Record<string, ServiceStatus> {
    return Object.fromEntries([...this.#statuses].map(([name, status]) => [name, status()]));
  }

  /** Asks no more. */
  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  /** Resolves when the check has ended, which may be long after its verdict. */
  async #ask(check: ServiceCheck, tell: (verdict: ServiceStatus) => void): Promise<void> {
    const late = setTimeout(() => tell('disconnected'), this.#times.deadlineMs);
    const verdict = await attempt(check);
    clearTimeout(late);
    tell(verdict);
  }
}

async function attempt(check: ServiceCheck): Promise<ServiceStatus> {
  try {
    return await check();
  } catch {
    return 'disconnected';
  }
}
