import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { countCommands } from '../../src/testing/command-count.js';
import { startRedisServer, type RedisServer } from '../../src/testing/redis-server.js';
import { RespConnection } from '../../src/testing/resp-connection.js';

let server: RedisServer;
let client: RespConnection;

beforeAll(async () => {
  server = await startRedisServer();
  client = await RespConnection.open(server.port);
});
afterAll(async () => {
  await client.close();
  await server.stop();
});
beforeEach(() => server.command('FLUSHALL'));

const script = "for i = 1, 5 do redis.call('INCR', KEYS[1]) end return redis.call('GET', KEYS[1])";
const hash = createHash('sha1').update(script).digest('hex');

describe('countCommands', () => {
  it('counts none when none is sent', async () => {
    await client.send('SET', 'before', 1);
    expect(await countCommands(server, async () => {})).toEqual([]);
  });

  it('counts two when two are sent, in order and in upper case', async () => {
    const sent = await countCommands(server, async () => {
      await client.send('set', 'key', 'with "quotes" and \\ and \r\n');
      await client.send('get', 'key');
    });
    await client.send('DEL', 'key');
    expect(sent).toEqual(['SET', 'GET']);
  });

  it('counts a script that runs six commands as one, by its hash', async () => {
    await client.send('SCRIPT', 'LOAD', script);
    const sent = await countCommands(server, () => client.send('EVALSHA', hash, 1, 'count'));
    expect(sent).toEqual([`EVALSHA ${hash}`]);
    expect(await client.send('GET', 'count')).toBe('5');
  });

  it('counts the second trip of a script the server did not know', async () => {
    await client.send('SCRIPT', 'FLUSH');
    const sent = await countCommands(server, async () => {
      await client.send('EVALSHA', hash, 1, 'count').catch(() => client.send('EVAL', script, 1, 'count'));
    });
    expect(sent).toEqual([`EVALSHA ${hash}`, 'EVAL']);
  });

  it('counts every client, and every command of a batch', async () => {
    const other = await RespConnection.open(server.port);
    const sent = await countCommands(server, () =>
      Promise.all([client.send('INCR', 'a'), client.send('INCR', 'a'), other.send('TIME')]),
    );
    expect(sent.toSorted()).toEqual(['INCR', 'INCR', 'TIME']);
    await other.close();
  });

  it('is exact for thousands of commands', async () => {
    const sent = await countCommands(server, () =>
      Promise.all(Array.from({ length: 5000 }, () => client.send('INCR', 'a'))),
    );
    expect(sent).toHaveLength(5000);
  });

  it('leaves out PING, what the test itself looks at, and what it is told to ignore', async () => {
    const work = async (): Promise<void> => {
      await client.send('PING');
      await client.send('CLIENT', 'SETNAME', 'x');
      await client.send('INCR', 'a');
      await server.command('GET', 'a');
    };
    expect(await countCommands(server, work)).toEqual(['CLIENT', 'INCR']);
    expect(await countCommands(server, work, { ignore: ['client'] })).toEqual(['INCR']);
  });

  it('is not confused by an argument that looks like a mark', async () => {
    const sent = await countCommands(server, () => client.send('ECHO', `mark-${process.pid}-0`));
    expect(sent).toEqual(['ECHO']);
  });

  it('passes on what the work rejects with, and leaves no MONITOR behind', async () => {
    const counting = countCommands(server, async () => {
      expect(await server.command('CLIENT', 'LIST')).toContain('cmd=monitor');
      throw new Error('from the work');
    });
    await expect(counting).rejects.toThrow('from the work');
    await expect.poll(() => server.command('CLIENT', 'LIST')).not.toContain('cmd=monitor');
  });

  it('says so when the server goes away meanwhile', async () => {
    await using mortal = await startRedisServer();
    await expect(countCommands(mortal, () => mortal.restart())).rejects.toThrow('went away');
  });
});
