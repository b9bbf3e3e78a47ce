/** Changes to the scripts of locks, fences and what stands on them; see planted-bugs.test.ts. */
export const lockBugs = [
  {
    name: 'a fence lets a stale holder pass',
    script: 'backend/redis/lua/fence.lua',
    find: 'tonumber(fence_stored) > tonumber(fence_token)',
    replace: 'false',
    suite: 'guard',
    noticedBy: 'a refused call did nothing',
  },
  {
    name: 'a fence is never raised',
    script: 'backend/redis/lua/fence.lua',
    find: "redis.call('SET', fence_key, fence_token, 'PX', fence_keep_ms)",
    replace: "redis.call('SET', fence_key, fence_token, 'PX', fence_keep_ms, 'NX')",
    suite: 'guard',
    noticedBy: 'a guarded read keeps earlier holders',
  },
  {
    name: 'two lead at once',
    script: 'lock/lua/acquire.lua',
    find: 'if not (alive and held[1] == member) then',
    replace: 'if false then',
    suite: 'leader',
    noticedBy: 'of all candidates one leads',
  },
  {
    name: 'two work at one tick',
    script: 'lock/lua/acquire.lua',
    find: 'if not (alive and held[1] == member) then',
    replace: 'if false then',
    suite: 'every',
    noticedBy: 'each tick is done once',
  },
] as const;
