import { isCommonholdError } from '../../src/errors.js';
import type { SessionAddress, SessionFieldChanges, SessionRecord } from '../../src/session/session-port.js';
import type { RunningProcess } from '../../src/testing/simulation/simulated-process.js';
import type { ExecutedCall } from '../../src/testing/simulation/simulated-server.js';
import type { Simulation } from '../../src/testing/simulation/simulation.js';
import { type Protocol, rule } from './protocol.js';

interface Basket {
  readonly items: number;
}

/** Three processes serve sessions of a few users: count in them, and log them out. */
export const sessionProtocol: Protocol = {
  name: 'session',
  times: { faultyMs: 12_000, calmMs: 3_000 },
  begin(simulation) {
    const history = new History(simulation);
    const tokens: string[] = [];
    for (const name of ['a', 'b', 'c']) simulation.process(name, (process) => serve(process, tokens, history));
    return () => undefined;
  },
};

async function serve(process: RunningProcess, tokens: string[], history: History): Promise<void> {
  const { chance } = process;
  const sessions = process.state.sessions<Basket>('web', { idle: '1h' });
  for (;;) {
    try {
      const token = tokens.length === 0 ? undefined : chance.pick(tokens);
      if (token === undefined || chance.happens(0.15)) {
        const user = chance.pick(['ada', 'bob']);
        tokens.push((await sessions.create({ user, data: { items: 0 } })).token);
        if (tokens.length > 6) tokens.shift();
      } else if (chance.happens(0.6)) {
        await sessions.update(token, ({ items = 0 }) => ({ items: items + 1 }));
      } else if (chance.happens(0.5)) {
        await sessions.read(token);
      } else if (chance.happens(0.7)) {
        await sessions.revoke(token);
        const { session } = await sessions.read(token);
        rule('who logged out here is out here', session === undefined || history.lossy, () => String(session?.id));
      } else await sessions.revokeAll(chance.pick(['ada', 'bob']));
    } catch (error) {
      if (!isCommonholdError(error)) throw error;
    }
    await process.sleep(chance.until(150));
  }
}

/** What the store saw, checked as it happens. */
class History {
  /** Revocations may have been lost. */
  lossy = false;
  #revoked = new Set<string>();
  #users = new Map<string, string>();
  #items = new Map<string, number>();

  constructor(simulation: Simulation) {
    simulation.onCall((call) => this.#look(call));
    simulation.onLoss(() => {
      this.lossy = true;
      this.#revoked = new Set();
      this.#users = new Map();
      this.#items = new Map();
    });
  }

  #look({ operation, failed, args, reply }: ExecutedCall): void {
    if (failed || !operation.name.startsWith('session.')) return;
    const { id } = (args[1] ?? {}) as SessionAddress;
    switch (operation.name) {
      case 'session.create':
        return this.#created(reply as SessionRecord);
      case 'session.revoke':
        return this.#ended(id);
      case 'session.revokeAll':
        for (const [session, user] of this.#users) if (user === args[2]) this.#ended(session);
        return undefined;
      case 'session.replace':
        return this.#replaced(id, args[3] as SessionFieldChanges, reply);
      case 'session.read':
      case 'session.touch':
        if (typeof reply === 'object') this.#opened((reply as SessionRecord).id);
        return undefined;
      default:
        return undefined;
    }
  }

  #created({ id, user = '' }: SessionRecord): void {
    this.#users.set(id, user);
    this.#items.set(id, 0);
  }

  #ended(id: string): void {
    this.#revoked.add(id);
  }

  #opened(id: string): void {
    rule('a revoked session opens nothing', !this.#revoked.has(id), () => id);
  }

  #replaced(id: string, fields: SessionFieldChanges, reply: unknown): void {
    if (typeof reply !== 'number') return;
    rule('a revoked session is not written', !this.#revoked.has(id), () => id);
    const items = Number(fields[0]?.[1]);
    const before = this.#items.get(id);
    rule('no update is lost', before === undefined || items === before + 1, () => `${items} after ${before}`);
    this.#items.set(id, items);
  }
}
