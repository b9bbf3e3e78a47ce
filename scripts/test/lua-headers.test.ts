import { describe, expect, it } from 'vitest';
import { guardLuaHeaders } from '../guards/lua-headers.mjs';
import { objections } from './planted.js';

const path = 'packages/commonhold/src/cache/lua/claim.lua';

const good = `-- cache/claim.lua, layout 1
-- Takes the value, or the right to compute it.
-- KEYS[1] entry, KEYS[2] claim
-- ARGV[1] token, ARGV[2] leaseMs ('' without end, '-' for none)
-- Returns {state, value}
local value = redis.call('GET', KEYS[1]) -- KEYS[9] in a comment does not count
if value then return { 'value', value } end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
return { 'compute' }
`;

const verdict = (text: string): string[] => objections(guardLuaHeaders, { [path]: text });

/** What the guard says about two scripts of one folder. */
const both = (claim: string, notice: string): string[] =>
  objections(guardLuaHeaders, { [path]: claim, [path.replace('claim', 'notice')]: notice });

/** The good script with one piece exchanged; fails when the piece is not there. */
function changed(from: string, to: string): string[] {
  expect(good).toContain(from);
  return verdict(good.replace(from, to));
}

describe('a good header', () => {
  it('is accepted', () => {
    expect(verdict(good)).toEqual([]);
  });

  it('may name the rest of a list', () => {
    const text = good
      .replace("ARGV[2] leaseMs ('' without end, '-' for none)", 'ARGV[2] leaseMs, ARGV[3...] fields')
      .replace("return { 'compute' }", 'return #ARGV');
    expect(verdict(text)).toEqual([]);
  });

  it('may be without keys and arguments', () => {
    expect(verdict('-- cache/claim.lua, layout 12\n-- Answers.\n-- Returns 1\nreturn 1\n')).toEqual([]);
  });
});

describe('a header is refused', () => {
  it.each([
    ['the path of another script', 'cache/claim.lua', 'lock/claim.lua'],
    ['no layout version', ', layout 1', ''],
    ['no purpose', '-- Takes the value, or the right to compute it.\n', ''],
    ['no result', '-- Returns {state, value}\n', ''],
    ['a missing key', ', KEYS[2] claim', ''],
    ['a key out of order', 'KEYS[1] entry, KEYS[2] claim', 'KEYS[2] claim, KEYS[1] entry'],
    ['a key without a name', 'KEYS[2] claim', 'KEYS[2]'],
    ['an argument that the body never reads', 'for none)', 'for none), ARGV[3] owner'],
    ['a computed index without the rest named', "return { 'compute' }", 'return ARGV[index]'],
    ['all arguments passed on without the rest named', "return { 'compute' }", 'return unpack(ARGV)'],
    ['the rest named and never read', 'ARGV[2] leaseMs', 'ARGV[2] leaseMs, ARGV[3...] fields'],
    ['the rest named before the last', 'KEYS[1] entry', 'KEYS[1...] entry'],
  ])('for %s', (_reason, from, to) => {
    expect(changed(from, to)).toHaveLength(1);
  });

  it('when it is not there at all', () => {
    expect(verdict("return redis.call('GET', KEYS[1])").length).toBeGreaterThan(1);
  });
});

describe('a file that others include', () => {
  const includer = `-- cache/claim.lua, layout 1
-- Announces.
-- KEYS[1] entry
-- ARGV[1] token, ARGV[2] topic
-- Returns 1
-- include notice.lua
announce(ARGV[2])
return 1
`;
  const notice = `-- cache/notice.lua, layout 1
-- What all scripts of the cache share.
-- Defines announce
local function announce(topic)
  redis.call('PUBLISH', topic, KEYS[1] .. ARGV[1])
end
`;
  it('lends its keys and arguments to the header of the includer', () => {
    expect(both(includer, notice)).toEqual([]);
    expect(both(includer.replace('-- KEYS[1] entry\n', ''), notice)).toHaveLength(1);
  });

  it('must exist and define what it says', () => {
    expect(both(includer.replace('notice.lua', 'gone.lua'), notice).join()).toContain('there is no such file');
    expect(both(includer, notice.replace('Defines announce', 'Defines announce, wake'))).toEqual([
      expect.stringContaining('"Defines wake"'),
    ]);
  });
});

describe('a body is refused', () => {
  it.each([
    "redis.call('PEXPIREAT', KEYS[2], 1)",
    "redis.call('expireat', KEYS[2], 1)",
    "redis.call('SET', KEYS[2], 'x', 'PXAT', 1)",
    "redis.call('GETEX', KEYS[2], 'EXAT', 1)",
    "redis.call('TIME')",
    "redis.pcall('time')",
    "redis.call('KEYS', '*')",
    "redis.call('FLUSHALL')",
    "redis.call('CONFIG', 'GET', 'maxmemory')",
    "redis.call('EVAL', 'return 1', 0)",
    "loadstring('return 1')()",
    'local at = os.time()',
  ])('for %s', (line) => {
    expect(changed("return { 'compute' }", line)).toHaveLength(1);
  });

  it('not for the same words in a comment', () => {
    expect(changed("return { 'compute' }", "--[[ redis.call('TIME') ]] return 1 -- PEXPIREAT")).toEqual([]);
  });
});
