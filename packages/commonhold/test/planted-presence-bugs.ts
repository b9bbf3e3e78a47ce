/** A change to a script of presence or owners that a suite must notice, as in planted-bugs.test.ts. */
interface PresenceBug {
  readonly name: string;
  readonly script: string;
  readonly find: string;
  readonly replace: string;
  readonly suite: 'owners' | 'presence' | 'presence-life';
  readonly noticedBy: string;
}

/** The bugs that the suites of presence and owners must notice. */
export const presenceBugs: readonly PresenceBug[] = [
  {
    name: 'members of a dead process stay',
    script: 'presence/lua/space.lua',
    find: "redis.call('ZSCORE', leases, seat) or 0) >= now",
    replace: "redis.call('ZSCORE', leases, seat) or 0) >= 0",
    suite: 'presence-life',
    noticedBy: 'gone when its lease ends',
  },
  {
    name: 'who comes back takes ids away from those who have them now',
    script: 'presence/lua/change.lua',
    find: "if change.kind == 'restore' and",
    replace: 'if false and',
    suite: 'presence-life',
    noticedBy: 'who took the id of a member of the dead keeps it',
  },
  {
    name: 'a process is not told that its members are lost',
    script: 'presence/lua/change.lua',
    find: 'return { lease > 0 and 1 or 0, outcomes }',
    replace: 'return { 1, outcomes }',
    suite: 'presence-life',
    noticedBy: 'a join alone shows a buried process',
  },
  {
    name: 'a store that went back to an earlier stay ends the later one',
    script: 'presence/lua/member.lua',
    find: 'return member.seat == seat and tonumber(member.number) < tonumber(number)',
    replace: 'return false',
    suite: 'presence-life',
    noticedBy: 'the later one comes back',
  },
  {
    name: 'an earlier stay moves and ends a later one',
    script: 'presence/lua/change.lua',
    find: 'return member.seat == seat and member.number == change.number',
    replace: 'return true',
    suite: 'presence',
    noticedBy: 'an id that joins again belongs to the last',
  },
  {
    name: 'a region does not hear who goes elsewhere',
    script: 'presence/lua/member.lua',
    find: "ipairs({ member.region, from or '' })",
    replace: 'ipairs({ member.region })',
    suite: 'presence',
    noticedBy: 'a region hears of itself alone',
  },
  {
    name: 'an orphan is taken over twice',
    script: 'owners/lua/owners.lua',
    find: "redis.call('HDEL', orphans, name)",
    replace: '',
    suite: 'owners',
    noticedBy: 'exactly one takes an orphan over',
  },
  {
    name: 'what one of two held is an orphan while the other lives',
    script: 'owners/lua/owners.lua',
    find: "redis.call('HINCRBY', counts, name, -1) > 0",
    replace: "redis.call('HINCRBY', counts, name, -1) > 9",
    suite: 'owners',
    noticedBy: 'what several hold',
  },
];
