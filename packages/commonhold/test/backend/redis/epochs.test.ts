import { beforeEach, describe, expect, it } from 'vitest';
import type { Epochs } from '../../../src/backend/redis/epochs.js';
import { startRedisServer, type RedisServer } from '../../../src/testing/redis-server.js';
import { waitUntil } from '../../../src/testing/waiting.js';
import { useServer } from '../../engines.js';
import { connected, lost, newEpochs, outcome, recovered } from './connected.js';

/** One process: its knowledge, and a pulse of it over a connection. */
async function process(
  server: RedisServer,
): Promise<{ readonly pulse: () => ReturnType<Epochs['pulse']> } & AsyncDisposable> {
  const [epochs, connection] = [newEpochs(), await connected(server.url)];
  return {
    pulse: () => epochs.pulse(epochs.key(7), (...call) => connection.wire.run(...call)),
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

describe('epochs', () => {
  const server = useServer();
  beforeEach(() => server().command('FLUSHALL'));

  it('see a loss of everything once, in each process, whoever comes first', async () => {
    await using one = await process(server());
    await using other = await process(server());
    for (const { pulse } of [one, other, one, other]) expect(await pulse()).toMatchObject({ loss: undefined });
    await server().command('FLUSHALL');
    expect(await other.pulse()).toMatchObject({ loss: 'empty' });
    expect(await one.pulse()).toMatchObject({ loss: 'empty' });
    for (const { pulse } of [one, other]) expect(await pulse()).toMatchObject({ loss: undefined });
  });

  it('see no loss at the first pulse of a process, whether or not it makes the key', async () => {
    await using first = await process(server());
    expect(await first.pulse()).toEqual({ processes: 1, loss: undefined });
    await using second = await process(server());
    expect(await second.pulse()).toEqual({ processes: 2, loss: undefined });
  });

  it('see a roll-back in every process that it robbed of a pulse, although others counted on before', async () => {
    await using early = await process(server());
    await using late = await process(server());
    for (const { pulse } of [early, late]) await pulse();
    const [key, beside] = ['connected:epoch:{7}', 'connected:epoch:{7}:processes'];
    await server().command('COPY', key, '{7}saved');
    await server().command('COPY', beside, '{7}saved-beside');
    await late.pulse();
    await server().command('COPY', '{7}saved', key, 'REPLACE');
    await server().command('COPY', '{7}saved-beside', beside, 'REPLACE');
    for (let n = 0; n < 5; n++) expect(await early.pulse()).toMatchObject({ loss: undefined });
    expect(await late.pulse()).toMatchObject({ loss: 'rolledBack' });
    expect(await early.pulse()).toMatchObject({ loss: 'rolledBack' });
    for (const { pulse } of [early, late]) expect(await pulse()).toMatchObject({ loss: undefined });
  });

  it('forget a process an hour after its last pulse, and take that for no roll-back', async () => {
    await using one = await process(server());
    await using other = await process(server());
    await one.pulse();
    const [member] = (await server().command('ZRANGE', 'connected:epoch:{7}:processes', '0', '-1')) as string[];
    await server().command('ZADD', 'connected:epoch:{7}:processes', String(Date.now() - 3_600_001), member ?? '');
    expect(await other.pulse()).toEqual({ processes: 1, loss: undefined });
    expect(await server().command('HEXISTS', 'connected:epoch:{7}', `p.${member}`)).toBe(0);
  });
});

/** Waits until a replica has what its master has. */
function followed(replica: RedisServer): Promise<void> {
  const up = async (): Promise<boolean> =>
    String(await replica.command('INFO', 'replication')).includes('master_link_status:up');
  return waitUntil('the replica to have followed', up, { timeoutMs: 10_000 });
}

describe('the epoch of a connection', () => {
  it('is compared before anything else goes over a new connection', async () => {
    await using server = await startRedisServer();
    const losses: string[] = [];
    await using connection = await connected(server.url, {
      onLoss: (kind) => void losses.push(connection.ready ? kind : 'told too soon'),
    });
    await server.restart();
    await recovered(connection);
    expect(losses).toEqual(['empty']);
  });

  it('shows that the server came back with older data', async () => {
    await using server = await startRedisServer({ args: ['--dbfilename', 'old.rdb'] });
    const losses: string[] = [];
    await using connection = await connected(server.url, { onLoss: (kind) => void losses.push(kind) });
    await server.command('SAVE');
    await connection.probe();
    await server.restart();
    await recovered(connection);
    expect(losses).toEqual(['rolledBack']);
  });

  it('shows that a replica took over which lagged', async () => {
    const args = ['--repl-diskless-sync-delay', '0'];
    await using master = await startRedisServer({ args });
    await using replica = await startRedisServer({ args });
    const losses: string[] = [];
    await using connection = await connected(master.url, { onLoss: (kind) => void losses.push(kind) });
    const [host, port] = ['127.0.0.1', String(master.port)];
    await replica.command('REPLICAOF', host, port);
    await followed(replica);
    await replica.command('REPLICAOF', 'NO', 'ONE');
    await connection.probe();
    // The one that was left behind takes the place, and the data, of the other.
    await master.command('REPLICAOF', host, String(replica.port));
    await followed(master);
    await lost(connection).catch(() => undefined);
    await master.command('REPLICAOF', 'NO', 'ONE');
    await recovered(connection);
    expect(losses).toEqual(['rolledBack']);
  });

  it('stays unseen where the user may not write it, which the log says once', async () => {
    await using server = await startRedisServer();
    await server.command('ACL', 'SETUSER', 'app', 'on', '>p', '~other:*', '&*', '+@all');
    const lines: string[] = [];
    const note = (fields: object, message: string): void => void lines.push(`${message} ${JSON.stringify(fields)}`);
    const log = { info: note, warn: note, error: note };
    await using connection = await connected(`redis://app:p@127.0.0.1:${server.port}`, { log });
    expect(connection.status()).toMatchObject({ connected: true });
    expect(await outcome(connection.probe())).not.toBeUndefined();
    await server.command('CLIENT', 'KILL', 'USER', 'app');
    await lost(connection);
    await recovered(connection);
    expect(lines.filter((line) => line.includes('epoch'))).toEqual([
      expect.stringMatching(/will not be noticed.*may not run/),
    ]);
  });
});
