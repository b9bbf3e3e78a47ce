import assert from 'node:assert/strict';
import type { RedisServer } from './redis-server.js';
import { RespConnection, type RespReply } from './resp-connection.js';

/** What not to count. */
export interface CountOptions {
  /** Command names to leave out, in any case, such as those of a client's handshake. */
  readonly ignore?: readonly string[];
}

/**
 * The commands that clients sent while `work` ran, in the order the server took them: names in upper case, EVALSHA with
 * its hash (`EVALSHA 6b1bf4...`). Exact, between two marks that go through the server itself; commands which `work` sends
 * and does not wait for may come after the second.
 *
 * Not counted: commands run inside a script, PING and the pulses by which connections prove themselves, MONITOR, whatever
 * goes through `server.command` (that is how a test looks at the state), and what MONITOR does not show: administrative
 * commands (CONFIG, DEBUG), AUTH, and commands that the server refused before running them. Rejects with what `work` rejects with, and when the server goes away meanwhile.
 */
export async function countCommands(
  server: RedisServer,
  work: () => Promise<unknown>,
  options: CountOptions = {},
): Promise<string[]> {
  const monitor = new Monitor(await RespConnection.open(server.port));
  try {
    await monitor.start();
    const first = await monitor.mark(server);
    await work();
    const last = await monitor.mark(server);
    const ignored = new Set(['PING', ...(options.ignore ?? []).map((name) => name.toUpperCase())]);
    return monitor.lines
      .slice(first, last)
      .filter((line) => line.source !== 'lua' && line.source !== monitor.lines[last]?.source)
      .filter((line) => !ignored.has(line.name) && !isPulse(line))
      .map((line) => (line.name === 'EVALSHA' ? `EVALSHA ${line.argument}` : line.name));
  } finally {
    await monitor.close();
  }
}

interface MonitorLine {
  /** Address of the client, or `lua`. */
  readonly source: string;
  /** In upper case. */
  readonly name: string;
  /** The first argument; empty when there is none. */
  readonly argument: string;
  /** Of a script; empty for all else. */
  readonly firstKey: string;
}

let marks = 0;

class Monitor {
  readonly lines: MonitorLine[] = [];
  readonly #connection: RespConnection;
  #onLine: () => void = () => {};

  constructor(connection: RespConnection) {
    this.#connection = connection;
  }

  async start(): Promise<void> {
    this.#connection.onUnsolicited = (reply) => {
      this.lines.push(parseLine(reply));
      this.#onLine();
    };
    await this.#connection.send('MONITOR');
  }

  /** Sends a command that nobody else sends, and resolves with its place among the lines. */
  async mark(server: RedisServer): Promise<number> {
    marks += 1;
    const text = `mark-${process.pid}-${marks}`;
    const shown = new Promise<number>((resolve) => {
      this.#onLine = () => {
        const last = this.lines.length - 1;
        if (this.lines[last]?.argument === text) resolve(last);
      };
    });
    await server.command('ECHO', text);
    const ended = this.#connection.closed.then(() => assert.fail('the server went away while commands were counted'));
    return Promise.race([shown, ended]);
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}

/** `1700000000.123456 [0 127.0.0.1:50000] "get" "key"`; quotes and control characters inside an argument are escaped. */
const linePattern = /^[\d.]+ \[\d+ (\S+)\] "((?:[^"\\]|\\.)*)"(?: "((?:[^"\\]|\\.)*)")?(?: "\d+" "((?:[^"\\]|\\.)*)")?/;
const scriptCalls: ReadonlySet<string> = new Set(['EVAL', 'EVALSHA']);

function isPulse({ firstKey }: MonitorLine): boolean {
  return /:epoch:\{\d+\}$/.test(firstKey);
}

function parseLine(reply: RespReply): MonitorLine {
  const [, source, command, argument, second] = linePattern.exec(String(reply)) ?? [];
  const name = command?.toUpperCase();
  assert(source !== undefined && name !== undefined, `not a line of MONITOR: ${String(reply)}`);
  return { source, name, argument: argument ?? '', firstKey: (scriptCalls.has(name) ? second : undefined) ?? '' };
}
