import { describe, expect, it } from 'vitest';
import { awaitDurable, durabilityOf, undurable } from '../../../src/backend/redis/durability.js';
import { parseServerFacts } from '../../../src/backend/redis/server-facts.js';

const facts = (version: string, replicas: number, keepsLog: boolean) => ({
  ...parseServerFacts(''),
  version,
  replicas,
  keepsLog,
});
const always = (): Promise<boolean> => Promise.resolve(true);
const everySecond = (): Promise<boolean> => Promise.resolve(false);

describe('what a server can prove', () => {
  it.each([
    ['a replica, where there is one', facts('7.0.15', 1, false), everySecond, 'replica'],
    ['a replica, although its log is on disk', facts('7.2.0', 2, true), always, 'replica'],
    ['the reply, where the log comes before it', facts('6.2.0', 0, true), always, 'reply'],
    ['the log, from 7.2 on', facts('7.2.4', 0, true), everySecond, 'log'],
    ['the log, in 8.0', facts('8.0.1', 0, true), everySecond, 'log'],
    ['nothing by a log of every second before 7.2', facts('7.0.15', 0, true), everySecond, undefined],
    ['nothing without a log', facts('8.0.1', 0, false), always, undefined],
    ['nothing where INFO is forbidden', facts('', 0, false), always, undefined],
  ])('is %s', async (_, server, syncsAlways, expected) => {
    expect(await durabilityOf(server, syncsAlways)).toBe(expected);
  });

  it('is awaited with the command for it', () => {
    expect(awaitDurable('replica', 380)).toEqual(['WAIT', '1', '380']);
    expect(awaitDurable('log', 380)).toEqual(['WAITAOF', '1', '0', '380']);
  });

  it('is said where it is missing', () => {
    expect(undurable(facts('7.0.15', 0, false))).toMatch(/no replica.*no log/);
    expect(undurable(facts('7.0.15', 0, true))).toMatch(/not on disk before the answer/);
  });
});
