import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServer, type System } from '@commonhold/server';
import { Visitor } from '../src/replay/visitor.js';
import { system } from '../src/index.js';

/** AttendX, on one or several servers that share their state. */
export interface Running {
  readonly bases: readonly string[];
  close(): Promise<void>;
}

/** How to start it. */
export interface RunningOptions {
  readonly variables?: Readonly<Record<string, string>>;
  readonly system?: System;
  /** Default 1. More need a Redis. */
  readonly servers?: number;
  readonly atRoot?: boolean;
  readonly log?: (line: string) => void;
}

/** Starts servers in this process, each with an event loop's worth of state of its own. */
export async function startAttendx(options: RunningOptions = {}): Promise<Running> {
  const { servers = 1, atRoot = true, variables = {}, log } = options;
  const directory = await mkdtemp(join(tmpdir(), 'commonhold-attendx-'));
  const environment = { PORT: '0', LOG_LEVEL: log ? 'info' : 'silent', DATA_DIR: directory, ...variables };
  const logging = log === undefined ? {} : { logStream: { write: log } };
  const start = (): ReturnType<typeof startServer> =>
    startServer([options.system ?? system], { atRoot, environment, ...logging });
  const running = await Promise.all(Array.from({ length: servers }, start));
  return {
    bases: running.map(({ url }) => (atRoot ? url : `${url}/attendx`)),
    async close() {
      await Promise.all(running.map((server) => server.stop().catch(() => undefined)));
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A password good enough for tests. */
export const PASSWORD = 'correct horse battery';

let addresses = 0;

/** An address of this machine that nobody used yet in this run; limits count by address. */
function freshAddress(): string {
  const number = ++addresses;
  return `127.${1 + (process.pid % 250)}.${number >> 8}.${number & 255}`;
}

/** A visitor from an address of their own. */
export function newVisitor({ bases }: Running): Visitor {
  return new Visitor(bases, { address: freshAddress() });
}

/** A visitor who signed up and logged in. */
export async function newUser(
  running: Running,
  email: string,
  name?: string,
): Promise<{ visitor: Visitor; id: string }> {
  const visitor = newVisitor(running);
  const { status, json } = await visitor.post('/users', { email, password: PASSWORD, name: name ?? 'Ada' });
  if (status !== 201) throw new Error(`signing up answered ${status}: ${JSON.stringify(json)}`);
  const login = await visitor.post('/login', { email, password: PASSWORD });
  if (login.status !== 200) throw new Error(`logging in answered ${login.status}: ${JSON.stringify(login.json)}`);
  return { visitor, id: String(json['user_id']) };
}
