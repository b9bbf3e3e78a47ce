import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  classify,
  connectFailure,
  isForbidden,
  isNoScript,
  pulseVerdict,
  unanswered,
  unfitness,
  writeRefusal,
} from '../../../src/backend/redis/classify.js';
import { UnavailableError } from '../../../src/errors.js';
import { startRedisServer } from '../../../src/testing/redis-server.js';
import { incrementScript, mutating, reading, repeatable, connected, outcome } from './connected.js';

class ClientOfflineError extends Error {}
class ClientClosedError extends Error {}
class SocketClosedUnexpectedlyError extends Error {}

/** How Redis 6.2 wraps what went wrong in a script; Redis 7 puts the code first. */
const in62 = (message: string): string =>
  `ERR Error running script (call to f_6b1bf486c81ceb7edf3c093f4a48b4aeb1db7b62): @user_script:1: @user_script: 1: -${message}`;
const in62Reply = (message: string): string =>
  `ERR Error running script (call to f_6b1bf486c81ceb7edf3c093f4a48b4aeb1db7b62): @user_script:1: ${message}`;

const didNotRun = [
  'LOADING Redis is loading the dataset in memory',
  "READONLY You can't write against a read only replica.",
  'MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist to disk.',
  'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
  'CLUSTERDOWN The cluster is down',
  'CLUSTERDOWN Hash slot not served',
  "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
  'NOAUTH Authentication required.',
  'WRONGPASS invalid username-password pair or user is disabled.',
  "NOPERM this user has no permissions to run the 'get' command",
  'NOSCRIPT No matching script. Please use EVAL.',
  'TRYAGAIN Multiple keys request during rehashing of slot',
  in62("READONLY You can't write against a read only replica."),
  in62('MISCONF Redis is configured to save RDB snapshots'),
];

const mayHaveRun = [
  'ERR unknown command',
  'ERR value is not an integer or out of range script: 7630f5a4, on @user_script:1.',
  "ERR The user executing the script can't run this command or subcommand script: c617fa82, on @user_script:1.",
  in62("NOPERM this user has no permissions to run the 'get' command"),
  'read ECONNRESET',
  'Socket closed unexpectedly',
  'ERR user_script:1: LOADING is only a word here script: 8024bf5c, on @user_script:1.',
  'BUSYKEY Target key name already exists.',
  'Loading',
  '',
];

describe('classify', () => {
  it.each(didNotRun)('knows that nothing ran: %s', (message) => {
    for (const operation of [reading, mutating, repeatable]) {
      expect(classify(operation, new Error(message))).toMatchObject({ code: 'Unavailable' });
    }
  });

  it.each(mayHaveRun)('does not promise that nothing ran: %s', (message) => {
    expect(classify(mutating, new Error(message))).toMatchObject({ code: 'OutcomeUnknown', retrySafe: false });
    expect(classify(repeatable, new Error(message))).toMatchObject({ code: 'OutcomeUnknown', retrySafe: true });
    expect(classify(reading, new Error(message))).toMatchObject({ code: 'Unavailable' });
  });

  it.each([
    "OOM command not allowed when used memory > 'maxmemory'.",
    in62("OOM command not allowed when used memory > 'maxmemory'."),
    'The queue is full',
  ])('calls a bound a bound: %s', (message) => {
    expect(classify(mutating, new Error(message))).toMatchObject({ code: 'Overloaded' });
  });

  it.each([
    'WRONGTYPE Operation against a key holding the wrong kind of value',
    in62Reply('WRONGTYPE Operation against a key holding the wrong kind of value'),
    'WRONGTYPE the total is not a whole number',
  ])('calls foreign data foreign: %s', (message) => {
    expect(classify(reading, new Error(message))).toMatchObject({ code: 'CorruptState' });
  });

  it.each([new ClientOfflineError('offline'), new ClientClosedError('closed')])(
    'knows what was never sent',
    (error) => {
      expect(classify(mutating, error)).toMatchObject({ code: 'Unavailable' });
    },
  );

  it('has words of its own for a connection that was given up', () => {
    class DisconnectsClientError extends Error {}
    expect(classify(mutating, new DisconnectsClientError('Disconnects client'))).toMatchObject({
      code: 'OutcomeUnknown',
      message: 'test.mutate may have run: the connection was given up',
    });
  });

  it('does not know more than that when a socket broke', () => {
    expect(classify(mutating, new SocketClosedUnexpectedlyError('x'))).toMatchObject({ code: 'OutcomeUnknown' });
  });

  it('takes anything that can be thrown', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.anything(),
          fc.string().map((text) => new Error(text)),
        ),
        (thrown) => {
          const { code } = classify(mutating, thrown);
          return ['Unavailable', 'OutcomeUnknown', 'Overloaded', 'CorruptState'].includes(code);
        },
      ),
    );
  });

  it('keeps the message and drops what else the error carries: it may hold arguments', () => {
    const error = Object.assign(new Error('ERR no'), { command: { args: ['SET', 'k', 'secret'] } });
    const { cause } = classify(mutating, error);
    expect(cause).toMatchObject({ message: 'ERR no' });
    expect(JSON.stringify(Object.getOwnPropertyDescriptors(cause))).not.toContain('secret');
  });

  it('agrees with what this server says', async () => {
    await using server = await startRedisServer();
    await using connection = await connected(server.url);
    await server.command('SET', 'text', 'x');
    await server.command('LPUSH', 'list', 'x');
    expect(await outcome(connection.wire.command(mutating, ['INCR', 'list']))).toBe('CorruptState');
    expect(await outcome(connection.wire.run(mutating, incrementScript, ['list'], []))).toBe('CorruptState');
    expect(await outcome(connection.wire.run(mutating, incrementScript, ['text'], []))).toBe('OutcomeUnknown');
    expect(await outcome(connection.wire.command(mutating, ['NONSENSE']))).toBe('OutcomeUnknown');
  });
});

describe('what is known of an error', () => {
  it('tells the replies that need something done', () => {
    expect(isNoScript(new Error('NOSCRIPT No matching script. Please use EVAL.'))).toBe(true);
    expect(isNoScript(new Error('ERR NOSCRIPT'))).toBe(false);
    expect(isForbidden(new UnavailableError('x', 'y', { cause: new Error('NOPERM no') }))).toBe(true);
    expect(isForbidden(new UnavailableError('x', 'y'))).toBe(false);
  });

  it('tells a server that is of no use from one that takes no writes', () => {
    const readOnly = "READONLY You can't write against a read only replica.";
    expect(unfitness(new Error(readOnly))).toBe('this Redis is a replica');
    expect(unfitness(new Error(in62(readOnly)))).toBe('this Redis is a replica');
    expect(unfitness(new Error('ERR READONLY'))).toBeUndefined();
    for (const code of ['LOADING', 'BUSY', 'NOAUTH', 'MASTERDOWN'])
      expect(unfitness(new Error(`${code} x`))).toBeTruthy();
    for (const code of ['OOM', 'MISCONF', 'NOREPLICAS']) {
      expect(unfitness(new Error(`${code} x`))).toBeUndefined();
      expect(writeRefusal(new Error(`${code} x`))).toBeTruthy();
    }
    expect(writeRefusal(new Error(readOnly))).toBeUndefined();
  });

  it('says of a pulse what its failure means for the connection', () => {
    const verdicts = (inCluster: boolean): Record<string, string> => {
      const codes = ['LOADING', 'READONLY', 'CLUSTERDOWN', 'MOVED', 'OOM', 'NOPERM', 'WRONGTYPE', 'ERR', 'late'];
      return Object.fromEntries(codes.map((code) => [code, pulseVerdict(new Error(`${code} x`), inCluster)]));
    };
    const alike = { LOADING: 'away', CLUSTERDOWN: 'elsewhere', MOVED: 'elsewhere', OOM: 'refusing', NOPERM: 'unseen' };
    const rest = { WRONGTYPE: 'unseen', ERR: 'unseen', late: 'away' };
    expect(verdicts(false)).toEqual({ ...alike, ...rest, READONLY: 'away' });
    expect(verdicts(true)).toEqual({ ...alike, ...rest, READONLY: 'elsewhere' });
  });

  it('reads well as the reason for being away', () => {
    expect(connectFailure(new Error('NOAUTH HELLO must be called with ...'))).toBe('Redis asks for a password');
    expect(connectFailure(new Error('connect ECONNREFUSED 127.0.0.1:1'))).toBe('connect ECONNREFUSED 127.0.0.1:1');
    expect(connectFailure(Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }))).toBe('ECONNREFUSED');
    expect(connectFailure(classify(reading, new Error('LOADING Redis is loading')))).toBe('Redis is loading its data');
    expect(connectFailure(unanswered(reading, 'no answer by its deadline'))).toContain('no answer by its deadline');
  });
});
