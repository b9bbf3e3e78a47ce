/** A change to a script of the queue that a suite must notice, as in planted-bugs.test.ts. */
interface QueueBug {
  readonly name: string;
  readonly script: string;
  readonly find: string;
  readonly replace: string;
  readonly suite:
    | 'queue'
    | 'queue-group'
    | 'queue-limits'
    | 'queue-result'
    | 'queue-schedule'
    | 'queue-search'
    | 'queue-turn'
    | 'queue-upkeep';
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
    name: 'the group whose turn it was goes first again',
    script: 'queue/lua/take-turns.lua',
    find: "redis.call('RPUSH', ring_key(line.priority), group)",
    replace: "redis.call('LPUSH', ring_key(line.priority), group)",
    suite: 'queue-group',
    noticedBy: 'take turns',
  },
  {
    name: 'jobs without a group wait for all groups',
    script: 'queue/lua/take-turns.lua',
    find: 'claim_ungrouped(line, 1)',
    replace: '',
    suite: 'queue-group',
    noticedBy: 'one more group',
  },
  {
    name: 'a group that ran as many jobs as it may does not come back',
    script: 'queue/lua/group.lua',
    find: 'return unpark(group)',
    replace: 'return false',
    suite: 'queue-group',
    noticedBy: 'an end of any kind',
  },
  {
    name: 'a group may run one job more than it may',
    script: 'queue/lua/take-turns.lua',
    find: 'return most_in_group - tonumber(',
    replace: 'return 1 + most_in_group - tonumber(',
    suite: 'queue-group',
    noticedBy: 'no more jobs of a group',
  },
  {
    name: 'what dead workers held counts in its group for ever',
    script: 'queue/lua/take-over.lua',
    find: '  leave_group(id)\n',
    replace: '',
    suite: 'queue-group',
    noticedBy: 'a dead worker held',
  },
  {
    name: 'the place of a cancelled job is taken by its namesake',
    script: 'queue/lua/take-turns.lua',
    find: "return is_gone(own, id) and '' or id",
    replace: 'return id',
    suite: 'queue-group',
    noticedBy: 'a cancelled job is passed over',
  },
  {
    name: 'a deadline is counted from when a job is taken',
    script: 'queue/lua/claim.lua',
    find: "local created_at = string.match(entry[1], '^%d+')",
    replace: "local created_at = string.format('%.0f', now)",
    suite: 'queue-limits',
    noticedBy: 'not started after its deadline',
  },
  {
    name: 'an attempt that took too long is not charged',
    script: 'queue/lua/finish.lua',
    find: "redis.call('HSET', key, 'error', payload)",
    replace: "redis.call('HSET', key, 'error', payload, 'attempts', attempt - 1)",
    suite: 'queue-limits',
    noticedBy: 'an attempt that takes too long',
  },
  {
    name: 'workers take jobs while the queue is paused',
    script: 'queue/lua/turn.lua',
    find: "redis.call('EXISTS', base .. ':paused') == 1",
    replace: 'false',
    suite: 'queue',
    noticedBy: 'paused queue',
  },
  {
    name: 'resuming wakes nobody',
    script: 'queue/lua/pause.lua',
    find: '  wake(waiting)',
    replace: '',
    suite: 'queue-turn',
    noticedBy: 'woken when their queue goes on',
  },
  {
    name: 'of several fields only one counts',
    script: 'queue/lua/filter.lua',
    find: "if type(score) ~= 'string' then",
    replace: 'if false then',
    suite: 'queue-search',
    noticedBy: 'alone and together',
  },
  {
    name: 'a job is not found by a status it came into',
    script: 'queue/lua/index.lua',
    find: "redis.call('ZADD', status_key(to), now, id)",
    replace: '',
    suite: 'queue-search',
    noticedBy: 'from its adding to its end',
  },
  {
    name: 'a page begins with the job that the page before ended with',
    script: 'queue/lua/search.lua',
    find: "return redis.call('ZREVRANK', key, id) + 1",
    replace: "return redis.call('ZREVRANK', key, id)",
    suite: 'queue-search',
    noticedBy: 'every job once',
  },
  {
    name: 'what is removed by a filter is more than what is found by it',
    script: 'queue/lua/filter.lua',
    find: "and (wanted.worker == '' or job[4] == wanted.worker)",
    replace: '',
    suite: 'queue-search',
    noticedBy: 'by the same filter',
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
    script: 'queue/lua/filter.lua',
    find: 'wanted.ended_to = math.min(wanted.ended_to or math.huge, now - tonumber(ARGV[20]))',
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
