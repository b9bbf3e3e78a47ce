import { RedisCache } from '../../cache/redis-cache.js';
import type { Clock } from '../../clock.js';
import type { Keys } from '../../keys.js';
import type { Log } from '../../log.js';
import type { NamedOperation } from '../../operation.js';
import type { Random } from '../../random.js';
import type { Backend, BackendStatus } from '../backend.js';
import { RedisBus } from './redis-bus.js';
import { createRedisClient, type RedisEndpoint } from './redis-client.js';
import { RedisLink } from './redis-link.js';
import { RedisWire } from './redis-wire.js';
import { loadScript, type ScriptTime } from './script.js';
import { parseServerFacts, type ServerFacts, stateWarning } from './server-facts.js';

export interface RedisBackendOptions {
  readonly endpoint: RedisEndpoint;
  readonly deadlineMs: { readonly state: number; readonly cache: number };
  readonly keys: Keys;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly scriptTime: ScriptTime;
}

const greeting: NamedOperation = { name: 'connection.greet', kind: 'read', away: 'refuse', deadline: 'state' };
const probing: NamedOperation = { name: 'connection.probe', kind: 'idempotent', away: 'refuse', deadline: 'state' };
const probeScript = loadScript(import.meta.url, 'probe.lua');
/** Time for connecting, handshake and greeting together (K3). */
const handshakeMs = 500;

/** Gathers the Redis twins over one connection. Resolves after the first attempt to connect, whether or not it succeeded. */
export async function createRedisBackend(options: RedisBackendOptions): Promise<Backend> {
  const { keys, log } = options;
  let facts: ServerFacts = parseServerFacts('');
  const bus: RedisBus = new RedisBus(() => link);
  const greet = async (): Promise<void> => {
    facts = await readFacts(wire);
    wire.clustered = facts.clustered;
    const warning = stateWarning(facts);
    if (warning !== undefined) log.warn({ version: facts.version }, warning);
    await bus.resubscribe();
  };
  const client = await createRedisClient(options.endpoint);
  const link: RedisLink = new RedisLink(client, {
    ...options,
    handshakeMs,
    greet,
    onReady: (again) => (again ? bus.restored() : undefined),
  });
  const wire: RedisWire = new RedisWire(link, options);
  await link.start();
  return {
    ports: { cache: new RedisCache(wire, keys) },
    bus,
    remote: true,
    status: () => statusOf(link, facts),
    probe: async () => void (await wire.run(probing, probeScript, [keys.tagged('probe', 'probe')], ['1'])),
    rawClient: client,
    close: async () => {
      await wire.drain();
      link.close();
    },
  };
}

// A user without the right to read INFO works; what depends on it is then unknown.
async function readFacts(wire: RedisWire): Promise<ServerFacts> {
  try {
    return parseServerFacts(String(await wire.greet(greeting, ['INFO'])));
  } catch (error) {
    if (error instanceof Error && String(error.cause).includes('NOPERM')) return parseServerFacts('');
    throw error;
  }
}

function statusOf(link: RedisLink, facts: ServerFacts): BackendStatus {
  if (!link.ready) return { kind: 'redis', connected: false, reason: link.reason };
  const warning = stateWarning(facts);
  return { kind: 'redis', connected: true, version: facts.version, ...(warning === undefined ? {} : { warning }) };
}
