/** A change to a script of sessions that a suite must notice, as in planted-bugs.test.ts. */
interface SessionBug {
  readonly name: string;
  readonly script: string;
  readonly find: string;
  readonly replace: string;
  readonly suite: 'session' | 'session-account' | 'session-life' | 'session-watch';
  readonly noticedBy: string;
}

/** The bugs that the suites of sessions must notice. */
export const sessionBugs: readonly SessionBug[] = [
  {
    name: 'logging out leaves the session alive',
    script: 'session/lua/revoke.lua',
    find: "bury(base .. id, 'revoked', tombstone_ms)",
    replace: '',
    suite: 'session',
    noticedBy: 'revoking says',
  },
  {
    name: 'the last writer of a session wins',
    script: 'session/lua/set.lua',
    find: "if ARGV[1] ~= '' and ARGV[1] ~= held[3] then",
    replace: 'if false then',
    suite: 'session-life',
    noticedBy: 'twenty concurrent updates',
  },
  {
    name: 'logging out everywhere ends the session that was to stay',
    script: 'session/lua/revoke-all.lua',
    find: 'if id ~= kept then',
    replace: 'if true then',
    suite: 'session',
    noticedBy: 'all sessions of a user end at once',
  },
  {
    name: 'an old token opens its session for ever',
    script: 'session/lua/record.lua',
    find: 'or not late and now > (whole(record.g) or -1)',
    replace: '',
    suite: 'session-account',
    noticedBy: 'still opens it for reading, until the grace is over',
  },
  {
    name: 'a login leaves the token of before its grace',
    script: 'session/lua/rotate.lua',
    find: 'local grace_ms = tonumber(ARGV[14])',
    replace: 'local grace_ms = 10000',
    suite: 'session-account',
    noticedBy: 'a login leaves no grace',
  },
  {
    name: 'a new token counts as a proof',
    script: 'session/lua/rotate.lua',
    find: "elseif ARGV[12] ~= '' then",
    replace: 'else',
    suite: 'session-account',
    noticedBy: 'a user is fresh for a time',
  },
  {
    name: 'a login too many is let in',
    script: 'session/lua/index.lua',
    find: 'count >= most',
    replace: 'count > most',
    suite: 'session-account',
    noticedBy: 'however many log in at once',
  },
  {
    name: 'nobody hears that a session was ended for another',
    script: 'session/lua/index.lua',
    find: "tell('revoked ' .. table.concat(ended, ' '))",
    replace: '',
    suite: 'session-watch',
    noticedBy: 'however a session is ended',
  },
];
