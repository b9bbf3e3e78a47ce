/** A change to a script of the queue that a suite must notice, as in planted-bugs.test.ts. */
interface QueueBug {
  readonly name: string;
  readonly script: string;
  readonly find: string;
  readonly replace: string;
  readonly suite: 'queue' | 'queue-limits' | 'queue-result' | 'queue-schedule' | 'queue-turn' | 'queue-upkeep';
  readonly noticedBy: string;
}

/** The bugs that the suites of the queue must notice. */
export const queueBugs: readonly QueueBug[] = [
  {
    name: 'jobs of other workers do not count towards the limit of the queue',
    script: 'queue/lua/limits.lua',
    find: 'capacity = most_running - count_running()',
    replace: "capacity = most_running - redis.call('ZCARD', held_key(owner))",
    suite: 'queue-limits',
    noticedBy: 'no more jobs run at once',
  },
  {
    name: 'a window of starts never fills',
    script: 'queue/lua/limits.lua',
    find: 'window.starts = window.starts + count',
    replace: 'window.starts = 0',
    suite: 'queue-limits',
    noticedBy: 'no more jobs are started in a window',
  },
  {
    name: 'every process adds the job of a tick',
    script: 'queue/lua/add.lua',
    find: 'if tonumber(before) >= number then',
    replace: 'if false then',
    suite: 'queue-schedule',
    noticedBy: 'each tick is added once',
  },
  {
    name: 'one of those who wait for a job is told of its end',
    script: 'queue/lua/awaited.lua',
    find: "for waiting in string.gmatch(owners, '[^\\n]+') do",
    replace: "for waiting in string.gmatch(owners, '^[^\\n]+') do",
    suite: 'queue-result',
    noticedBy: 'without asking again',
  },
  {
    name: 'a stale worker may end a job that another has',
    script: 'queue/lua/finish.lua',
    find: "if job[1] ~= 'processing' or job[2] ~= attempt or job[3] ~= owner then",
    replace: 'if false then',
    suite: 'queue-turn',
    noticedBy: 'taken over when its lease ends',
  },
  {
    name: 'leases are ignored: dead workers keep their jobs',
    script: 'queue/lua/take-over.lua',
    find: "redis.call('ZRANGEBYSCORE', base .. ':leases', '-inf', '(' .. now)",
    replace: '{}',
    suite: 'queue-turn',
    noticedBy: 'taken over when its lease ends',
  },
  {
    name: 'low priorities go first',
    script: 'queue/lua/lines.lua',
    find: 'return tonumber(a.priority) > tonumber(b.priority)',
    replace: 'return tonumber(a.priority) < tonumber(b.priority)',
    suite: 'queue',
    noticedBy: 'higher priorities first',
  },
  {
    name: 'delayed jobs do not wait',
    script: 'queue/lua/due.lua',
    find: "redis.call('ZRANGEBYSCORE', base .. ':delayed', '-inf', now,",
    replace: "redis.call('ZRANGEBYSCORE', base .. ':delayed', '-inf', '+inf',",
    suite: 'queue',
    noticedBy: 'a delayed job waits',
  },
  {
    name: 'a job of a known id is added again',
    script: 'queue/lua/add.lua',
    find: "redis.call('EXISTS', key) == 1",
    replace: 'false',
    suite: 'queue',
    noticedBy: 'not added again',
  },
  {
    name: 'jobs are added while adding is paused',
    script: 'queue/lua/add.lua',
    find: "if redis.call('HGET', base .. ':waiting', 'closed') then",
    replace: 'if false then',
    suite: 'queue-upkeep',
    noticedBy: 'while adding is paused',
  },
  {
    name: 'draining counts what was taken before',
    script: 'queue/lua/drain.lua',
    find: 'for index = line.taken_of_first,',
    replace: 'for index = 0,',
    suite: 'queue-upkeep',
    noticedBy: 'taken before',
  },
  {
    name: 'the age of failed jobs is not looked at',
    script: 'queue/lua/sweep.lua',
    find: 'or (tonumber(job[3]) or math.huge) > ended_until',
    replace: '',
    suite: 'queue-upkeep',
    noticedBy: 'by topic and by age',
  },
  {
    name: 'anybody writes to the log of a job',
    script: 'queue/lua/log.lua',
    find: "if job[1] ~= 'processing' or job[2] ~= ARGV[11] or job[3] ~= ARGV[9] then",
    replace: 'if false then',
    suite: 'queue-limits',
    noticedBy: 'nobody but the worker',
  },
];
