import { resolve } from 'node:path';
import { awayDefaults } from './away.js';
import type { Backend } from './backend/backend.js';
import { createMemoryBackend } from './backend/memory/memory-backend.js';
import { createMemoryStore } from './backend/memory/memory-store.js';
import { createResilientBackend } from './backend/resilient/resilient-backend.js';
import { type ScriptTime, serverTime } from './backend/redis/script.js';
import { JournalFolder } from './backend/resilient/journal-folder.js';
import { Wakes } from './backend/wakes.js';
import { journalBytes } from './backend/resilient/journal.js';
import { systemClock } from './clock.js';
import { createCodec } from './codec/codec.js';
import { wholeNumber } from './codec/limits.js';
import { type Environment, variable } from './environment.js';
import { InvalidArgumentError } from './errors.js';
import type { FeatureContext } from './feature-context.js';
import { createKeys } from './keys.js';
import { standardErrorLog } from './log.js';
import { checkOptionNames, type OptionNames } from './option-names.js';
import { openRedis, type RedisNeeds } from './open-redis.js';
import type { JournalOptions, OpenOptions } from './options.js';
import { createOwner, type Owner } from './owner.js';
import { type Random, systemRandom } from './random.js';
import { type RedisPlace, resolveRedis } from './redis-place.js';
import { SharedState } from './shared-state.js';

const journalFileBytes = 64 * 1024 * 1024;

/**
 * Opens shared state: in memory, or on Redis where options or environment name one. Options win over environment
 * variables, and those over memory.
 *
 * A Redis that cannot be reached does not reject: the state is then degraded, every call fails at once with
 * `Unavailable`, and all is well when Redis comes.
 *
 * @throws InvalidArgumentError for a bad option or variable, saying what was expected, what came and where.
 * @throws MissingDependencyError when Redis is named and `@redis/client` is not installed.
 */
export function openState(options: OpenOptions = {}): Promise<SharedState> {
  return openStateWith(options, serverTime);
}

/** As {@link openState}, with the time that scripts see given by the caller: for moving time in tests. */
export async function openStateWith(options: OpenOptions, scriptTime: ScriptTime): Promise<SharedState> {
  checkOptionNames('openState', options, openOptionNames);
  const environment = options.environment ?? process.env;
  const random = options.random ?? systemRandom;
  const clock = options.clock ?? systemClock;
  const log = options.log ?? standardErrorLog;
  const redis = resolveRedis(options, environment);
  const away = awayDefaults('away', options.away);
  const journal = resolveJournal(options.journal, environment);
  const keys = createKeys(resolveNamespace(options, environment, redis !== undefined));
  const owner = resolveOwner(options, environment, random);
  const codec = createCodec({ compress: redis !== undefined, maxValueBytes: options.maxValueBytes });
  // Everything that may be refused comes before this line: a connection that was opened would be left behind.
  const needs = { keys, clock, random, log, owner, scriptTime };
  const backend =
    redis === undefined ? openMemory(options.memory, journal, needs) : await openResilient(redis, journal, needs);
  const wakes = new Wakes(clock, random);
  await wakes.start(backend.bus, keys.wake(owner.id));
  if (backend.cacheBus !== undefined) await wakes.start(backend.cacheBus, keys.wake(owner.id));
  const context: FeatureContext = { clock, random, log, codec, keys, owner, wakes, bus: backend.bus, away };
  return new SharedState(backend, context);
}

const openOptionNames = {
  namespace: true,
  redis: true,
  owner: true,
  away: true,
  journal: true,
  memory: true,
  maxValueBytes: true,
  log: true,
  environment: true,
  clock: true,
  random: true,
} satisfies OptionNames<OpenOptions>;

const journalOptionNames = { maxBytes: true, file: true, maxFileBytes: true } satisfies OptionNames<JournalOptions>;

type ResilientNeeds = Omit<RedisNeeds, 'owner'> & { readonly owner: Owner };

/** @param store a memory that may be away, as a server is, is used as one. */
function openMemory(store: OpenOptions['memory'], { maxBytes }: ResolvedJournal, needs: ResilientNeeds): Backend {
  const distant = store?.connect(needs);
  if (distant !== undefined) return createResilientBackend(distant, { ...needs, journalBytes: maxBytes });
  return createMemoryBackend(store ?? createMemoryStore({ clock: needs.clock }), needs.keys, store === undefined);
}

async function openResilient(
  redis: RedisPlace,
  { maxBytes, file, maxFileBytes }: ResolvedJournal,
  needs: ResilientNeeds,
): Promise<Backend> {
  const namespace = needs.keys.namespace;
  const folder =
    file === undefined ? undefined : await JournalFolder.open({ ...needs, file, maxBytes: maxFileBytes, namespace });
  try {
    const { deadlineMs } = 'state' in redis ? redis.state : redis;
    const spool = folder && { folder, deadlineMs: deadlineMs.state };
    return await openRedis(redis, { ...needs, owner: needs.owner.id }, (store, log, onlyCaches) =>
      createResilientBackend(store, { ...needs, log, journalBytes: maxBytes, spool: onlyCaches ? undefined : spool }),
    );
  } catch (error) {
    await folder?.close();
    throw error;
  }
}

interface ResolvedJournal {
  readonly maxBytes: number;
  readonly file: string | undefined;
  readonly maxFileBytes: number;
}

function resolveJournal(options: JournalOptions = {}, environment: Environment): ResolvedJournal {
  checkOptionNames('journal', options, journalOptionNames);
  const { file = variable(environment, 'COMMONHOLD_JOURNAL_FILE') } = options;
  if (file !== undefined && (typeof file !== 'string' || file === '' || file.includes('\0'))) {
    throw new InvalidArgumentError('journal.file', 'the path of a file', file);
  }
  const most = Number.MAX_SAFE_INTEGER;
  return {
    maxBytes: wholeNumber('journal.maxBytes', options.maxBytes, journalBytes, 0, most),
    file: file === undefined ? undefined : resolve(file),
    maxFileBytes: wholeNumber('journal.maxFileBytes', options.maxFileBytes, journalFileBytes, 0, most),
  };
}

function resolveOwner(options: OpenOptions, environment: Environment, random: Random): Owner {
  if (options.owner !== undefined) return createOwner(random, options.owner);
  return createOwner(random, variable(environment, 'CONTAINER_ID'), 'Environment variable CONTAINER_ID');
}

function resolveNamespace(options: OpenOptions, environment: Environment, onRedis: boolean): string {
  if (options.namespace !== undefined) return options.namespace;
  if (onRedis && variable(environment, 'NODE_ENV') === 'production') {
    throw new InvalidArgumentError('namespace', 'a name of this application, so that its keys are its own', undefined);
  }
  return 'default';
}
