import { describe, expect, it } from 'vitest';
import { loadScript } from '../src/backend/redis/script.js';
import { type EngineKind, redisEngine, rewrittenRedisEngine } from '../src/testing/engine.js';
import type { TestRunner } from '../src/testing/suite.js';
import { useServer } from './engines.js';
import { cacheBugs } from './planted-cache-bugs.js';
import { lockBugs } from './planted-lock-bugs.js';
import { presenceBugs } from './planted-presence-bugs.js';
import { rateLimitBugs } from './planted-rate-limit-bugs.js';
import { queueBugs } from './planted-queue-bugs.js';
import { sessionBugs } from './planted-session-bugs.js';

/** A change to a script that a suite must notice. */
interface PlantedBug {
  readonly name: string;
  /** `<feature>/lua/<file>`. */
  readonly script: string;
  readonly find: string;
  readonly replace: string;
  readonly suite: Suite;
  /** The test that is expected to notice, by a part of its name. */
  readonly noticedBy: string;
}

type Suite =
  | 'cache'
  | 'cache-life'
  | 'cache-near'
  | 'cache-tag'
  | 'channel'
  | 'concurrency'
  | 'counter'
  | 'counter-operation'
  | 'every'
  | 'guard'
  | 'map'
  | 'map-change'
  | 'owners'
  | 'presence'
  | 'presence-life'
  | 'queue'
  | 'leader'
  | 'lock'
  | 'queue-group'
  | 'read-write-lock'
  | 'queue-limits'
  | 'queue-result'
  | 'queue-schedule'
  | 'queue-search'
  | 'queue-upkeep'
  | 'queue-turn'
  | 'run-once'
  | 'run-once-begin'
  | 'rate-limit'
  | 'rate-limit-operation'
  | 'rate-limit-rules'
  | 'session'
  | 'session-account'
  | 'session-life'
  | 'session-watch'
  | 'unique-set';

const bugs: readonly PlantedBug[] = [
  {
    name: 'a stale holder frees the lock of another',
    script: 'lock/lua/release.lua',
    find: 'if held[1] == member then',
    replace: 'if held[1] then',
    suite: 'lock',
    noticedBy: 'after a takeover the stale holder',
  },
  {
    name: 'a token starts over',
    script: 'lock/lua/acquire.lua',
    find: 'math.max(token + 1, now * 1024)',
    replace: 'token == 3 and 1 or token + 1',
    suite: 'lock',
    noticedBy: 'tokens grow',
  },
  {
    name: 'who comes later goes before those who wait',
    script: 'lock/lua/line.lua',
    find: 'if not busy_until and (not first or first == member) then',
    replace: 'if not busy_until then',
    suite: 'lock',
    noticedBy: 'does not go before them',
  },
  {
    name: 'one that died keeps its place in the line',
    script: 'lock/lua/line.lua',
    find: 'if member ~= speaking then',
    replace: 'if false then',
    suite: 'lock',
    noticedBy: 'passed over',
  },
  {
    name: 'nobody is woken',
    script: 'lock/lua/line.lua',
    find: "redis.call('PUBLISH', wake_prefix .. owner, topic .. id)",
    replace: '',
    suite: 'lock',
    noticedBy: 'woken at once',
  },
  {
    name: 'a stale run replaces the result of the one that took over',
    script: 'run-once/lua/finish.lua',
    find: 'if run[1] ~= ARGV[1] then',
    replace: 'if false then',
    suite: 'run-once',
    noticedBy: 'a stale one is refused',
  },
  {
    name: 'all that wait run when one fails',
    script: 'run-once/lua/claim.lua',
    find: 'local alive = run[1] and now <= ends_at',
    replace: 'local alive = false',
    suite: 'run-once',
    noticedBy: 'the others try one after another',
  },
  {
    name: 'those who wait are not told of a result',
    script: 'run-once/lua/finish.lua',
    find: "redis.call('PUBLISH', ARGV[3] .. owner, ARGV[4] .. id)",
    replace: '',
    suite: 'run-once',
    noticedBy: 'hears of each result at once',
  },
  {
    name: 'a key stands for any fingerprint',
    script: 'run-once/lua/claim.lua',
    find: "if fingerprint ~= '' and run[5] and run[5] ~= fingerprint then",
    replace: 'if false then',
    suite: 'run-once-begin',
    noticedBy: 'a dead one is taken over by who asks',
  },
  {
    name: 'a counter loses its lifetime when it is added to',
    script: 'counter/lua/add.lua',
    find: "return redis.call('INCRBY', KEYS[1], ARGV[1])",
    replace: "redis.call('SET', KEYS[1], total + tonumber(ARGV[1])) return total + tonumber(ARGV[1])",
    suite: 'counter',
    noticedBy: 'a ttl begins with the first add',
  },
  {
    name: 'an operation that is done again counts again',
    script: 'counter/lua/add-once.lua',
    find: 'if answer ~= nil then',
    replace: 'if answer == false then',
    suite: 'counter-operation',
    noticedBy: 'counts once, however often',
  },
  {
    name: 'an id stands for two operations',
    script: 'counter/lua/operation.lua',
    find: 'return before == what and answer',
    replace: 'return answer',
    suite: 'counter-operation',
    noticedBy: 'refused to an add of another amount',
  },
  {
    name: 'a channel keeps more than it was told',
    script: 'channel/lua/append.lua',
    find: "'MAXLEN', '=', most, ",
    replace: '',
    suite: 'channel',
    noticedBy: 'the newest by count are kept',
  },
  {
    name: 'each add begins the life of a unique set anew',
    script: 'unique-set/lua/add.lua',
    find: 'if begins then',
    replace: 'if true then',
    suite: 'unique-set',
    noticedBy: 'a ttl begins with the first add',
  },
  {
    name: 'a unique set with a ttl never ends',
    script: 'unique-set/lua/add.lua',
    find: "redis.call('SCARD', KEYS[1]) == 0",
    replace: 'false',
    suite: 'unique-set',
    noticedBy: 'a ttl begins with the first add',
  },
  {
    name: 'clearing a unique set forgets to clear',
    script: 'unique-set/lua/clear.lua',
    find: "redis.call('UNLINK', KEYS[1])",
    replace: '',
    suite: 'unique-set',
    noticedBy: 'clearing takes all',
  },
  {
    name: 'an update takes whatever version it meets',
    script: 'map/lua/replace.lua',
    find: 'if known ~= ARGV[4] then',
    replace: 'if false then',
    suite: 'map',
    noticedBy: 'a thousand concurrent updates',
  },
  {
    name: 'an entry is served after its end',
    script: 'map/lua/entries.lua',
    find: 'return not ends or now <= tonumber(ends)',
    replace: 'return true',
    suite: 'map',
    noticedBy: 'one with a ttl ends exactly then',
  },
  {
    name: 'the documented layout updates without comparing',
    script: 'map/lua/plain-replace.lua',
    find: "if (found or '') ~= ARGV[1] then",
    replace: 'if false then',
    suite: 'map',
    noticedBy: 'a thousand concurrent updates',
  },
  {
    name: 'an entry that was set without end keeps the end it had',
    script: 'map/lua/entries.lua',
    find: "timed = timed - redis.call('ZREM', KEYS[2], key)",
    replace: '',
    suite: 'map',
    noticedBy: 'begin a lifetime anew',
  },
  {
    name: 'a map goes with its timed entries although one has no end',
    script: 'map/lua/entries.lua',
    find: "redis.call('PERSIST', KEYS[1])",
    replace: '',
    suite: 'map',
    noticedBy: 'an entry without end outlives',
  },
  {
    name: 'nobody hears of entries that ended',
    script: 'map/lua/entries.lua',
    find: "announce('', changes)",
    replace: '',
    suite: 'map-change',
    noticedBy: 'the end of an entry is a deletion',
  },
  ...cacheBugs,
  ...lockBugs,
  ...presenceBugs,
  ...rateLimitBugs,
  ...queueBugs,
  ...sessionBugs,
];

const suites: Readonly<Record<Suite, readonly [file: string, name: string]>> = {
  cache: ['../src/testing/cache-conformance.js', 'cacheConformance'],
  'cache-life': ['../src/testing/cache-life-conformance.js', 'cacheLifeConformance'],
  'cache-near': ['../src/testing/cache-near-conformance.js', 'cacheNearConformance'],
  'cache-tag': ['../src/testing/cache-tag-conformance.js', 'cacheTagConformance'],
  channel: ['../src/testing/channel-conformance.js', 'channelConformance'],
  concurrency: ['../src/testing/concurrency-conformance.js', 'concurrencyConformance'],
  guard: ['../src/testing/lock-guard-conformance.js', 'lockGuardConformance'],
  counter: ['../src/testing/counter-conformance.js', 'counterConformance'],
  'counter-operation': ['../src/testing/counter-operation-conformance.js', 'counterOperationConformance'],
  map: ['../src/testing/map-conformance.js', 'mapConformance'],
  'map-change': ['../src/testing/map-change-conformance.js', 'mapChangeConformance'],
  every: ['../src/testing/every-conformance.js', 'everyConformance'],
  leader: ['../src/testing/leader-conformance.js', 'leaderConformance'],
  'read-write-lock': ['../src/testing/lock-read-write-conformance.js', 'lockReadWriteConformance'],
  lock: ['../src/testing/lock-conformance.js', 'lockConformance'],
  owners: ['../src/testing/owners-conformance.js', 'ownersConformance'],
  presence: ['../src/testing/presence-conformance.js', 'presenceConformance'],
  'presence-life': ['../src/testing/presence-life-conformance.js', 'presenceLifeConformance'],
  queue: ['../src/testing/queue-conformance.js', 'queueConformance'],
  'queue-result': ['../src/testing/queue-result-conformance.js', 'queueResultConformance'],
  'queue-schedule': ['../src/testing/queue-schedule-conformance.js', 'queueScheduleConformance'],
  'queue-group': ['../src/testing/queue-group-conformance.js', 'queueGroupConformance'],
  'queue-search': ['../src/testing/queue-search-conformance.js', 'queueSearchConformance'],
  'queue-limits': ['../src/testing/queue-limits-conformance.js', 'queueLimitsConformance'],
  'queue-upkeep': ['../src/testing/queue-upkeep-conformance.js', 'queueUpkeepConformance'],
  'queue-turn': ['../src/testing/queue-turn-conformance.js', 'queueTurnConformance'],
  'rate-limit': ['../src/testing/rate-limit-conformance.js', 'rateLimitConformance'],
  'rate-limit-operation': ['../src/testing/rate-limit-operation-conformance.js', 'rateLimitOperationConformance'],
  'rate-limit-rules': ['../src/testing/rate-limit-rules-conformance.js', 'rateLimitRulesConformance'],
  'run-once': ['../src/testing/run-once-conformance.js', 'runOnceConformance'],
  'run-once-begin': ['../src/testing/run-once-begin-conformance.js', 'runOnceBeginConformance'],
  session: ['../src/testing/session-conformance.js', 'sessionConformance'],
  'session-account': ['../src/testing/session-account-conformance.js', 'sessionAccountConformance'],
  'session-watch': ['../src/testing/session-watch-conformance.js', 'sessionWatchConformance'],
  'session-life': ['../src/testing/session-life-conformance.js', 'sessionLifeConformance'],
  'unique-set': ['../src/testing/unique-set-conformance.js', 'uniqueSetConformance'],
};

/** What a bug makes of a script, itself or through a fragment that it includes; `planted` tells whether it made anything of one. */
function plant({ script, find, replace }: PlantedBug): { planted: boolean; rewrite: (source: string) => string } {
  const [feature, file] = script.split('/lua/');
  const good = loadScript(new URL(`../src/${feature}/here.js`, import.meta.url).href, String(file)).source;
  expect(good, script).toContain(find);
  const bad = good.replace(find, () => replace);
  const bug = {
    planted: false,
    rewrite(source: string): string {
      bug.planted ||= source.includes(good);
      return source.replace(good, () => bad);
    },
  };
  return bug;
}

/** The tests of a suite whose names hold `part`, as functions. */
async function testsOf(suite: Suite, part: string, kind: EngineKind): Promise<(() => Promise<void>)[]> {
  const [file, name] = suites[suite];
  const module = (await import(file)) as Record<string, (runner: TestRunner, kind: () => EngineKind) => void>;
  const found: (() => Promise<void>)[] = [];
  const runner: TestRunner = {
    describe: (_, body) => body(),
    it: (title, body) => void (title.includes(part) && found.push(body)),
  };
  module[name]?.(runner, () => kind);
  expect(found.length, `tests of ${suite} named ${part}`).toBeGreaterThan(0);
  return found;
}

async function failures(bug: PlantedBug, kind: EngineKind, withinMs: number): Promise<unknown[]> {
  const tests = await testsOf(bug.suite, bug.noticedBy, kind);
  const reasons: unknown[] = [];
  for (const run of tests) await withTimeLimit(run, withinMs).catch((reason: unknown) => reasons.push(reason));
  return reasons;
}

// A bug may make its test wait for ever, which is noticed too.
function withTimeLimit(run: () => Promise<void>, withinMs: number): Promise<void> {
  return Promise.race([
    run(),
    new Promise<void>((_, reject) => setTimeout(() => reject(new Error('did not end in time')), withinMs)),
  ]);
}

describe('planted bugs', () => {
  const server = useServer();

  // Most of the time a test waits for what a bug keeps from happening.
  for (const bug of bugs) {
    it.concurrent(`noticed: ${bug.name}`, async () => {
      const bad = plant(bug);
      expect(await failures(bug, redisEngine(server()), 30_000)).toEqual([]);
      expect(await failures(bug, rewrittenRedisEngine(server(), bad.rewrite), 8_000)).not.toEqual([]);
      expect(bad.planted, `${bug.noticedBy} runs ${bug.script}`).toBe(true);
    });
  }
});
