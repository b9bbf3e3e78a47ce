import { vi } from 'vitest';
import type { Ports } from '../src/backend/backend.js';
import { NodeWire } from '../src/backend/redis/redis-wire.js';
import type { EngineKind } from '../src/testing/engine.js';

/** What the calls of one operation sent, at most. */
export interface Sent {
  readonly commands: number;
  /** How often something was sent only after an answer had come, and the first time. */
  readonly trips: number;
  /** Names of commands, and of scripts as `<feature>/<file>.lua`. */
  readonly names: ReadonlySet<string>;
}

interface Call {
  operation: string | undefined;
  readonly names: string[];
  trips: number;
  pending: number;
}

/** Notes what each call of a port sends to Redis. Calls must follow one another, as the steps of a model check do. */
export class CommandRecorder {
  readonly sent: Map<string, Sent> = new Map();
  #current: Call | undefined;

  constructor() {
    const note = this.#note.bind(this);
    // oxlint-disable-next-line typescript/unbound-method -- called on the wire that is given
    const { command, run } = NodeWire.prototype;
    vi.spyOn(NodeWire.prototype, 'command').mockImplementation(function (this: NodeWire, operation, args, reply) {
      return note(operation.name, String(args[0]), () => command.call(this, operation, args, reply));
    });
    vi.spyOn(NodeWire.prototype, 'run').mockImplementation(function (this: NodeWire, operation, script, ...rest) {
      return note(operation.name, script.name, () => run.call(this, operation, script, ...rest));
    });
  }

  /** The engine, whose ports are watched. */
  watch(kind: EngineKind): EngineKind {
    const start: EngineKind['start'] = async () => {
      const engine = await kind.start();
      return { ...engine, ports: async () => this.#watched(await engine.ports()) };
    };
    return { name: kind.name, start };
  }

  #watched(ports: Ports): Ports {
    const watched = Object.entries(ports).map(([feature, port]: [string, object]) => {
      const get = (_: object, method: string): unknown => this.#method(port, method);
      return [feature, new Proxy(port, { get })];
    });
    return Object.fromEntries(watched) as Ports;
  }

  #method(port: object, name: string): unknown {
    const method: unknown = Reflect.get(port, name);
    if (typeof method !== 'function') return method;
    return async (...args: readonly unknown[]): Promise<unknown> => {
      const call: Call = { operation: undefined, names: [], trips: 0, pending: 0 };
      this.#current = call;
      try {
        return (await Reflect.apply(method, port, args)) as unknown;
      } finally {
        this.#current = undefined;
        this.#add(call);
      }
    };
  }

  async #note(operation: string, name: string, send: () => Promise<unknown>): Promise<unknown> {
    const call = this.#current;
    if (call === undefined) return send();
    call.operation ??= operation;
    call.names.push(name);
    if (call.pending === 0) call.trips += 1;
    call.pending += 1;
    try {
      return await send();
    } finally {
      call.pending -= 1;
    }
  }

  #add({ operation, names, trips }: Call): void {
    if (operation === undefined) return;
    const before = this.sent.get(operation);
    this.sent.set(operation, {
      commands: Math.max(names.length, before?.commands ?? 0),
      trips: Math.max(trips, before?.trips ?? 0),
      names: new Set([...(before?.names ?? []), ...names]),
    });
  }
}
