import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from 'commonhold/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EmbeddedEngine } from '../../src/database/embedded-engine.js';
import { MigratedDatabase } from '../../src/database/migrated-database.js';
import { PostgresEngine } from '../../src/database/postgres-engine.js';
import { databases, ownPostgres, silent } from './databases.js';

const away = { statusCode: 503, message: expect.stringMatching(/observationId/) as string };

function open(url: string): MigratedDatabase {
  const database = new MigratedDatabase(new PostgresEngine(url, silent));
  onTestFinished(() => database.close());
  return database;
}

describe.each(databases)('a database, %s', (_name, own) => {
  const database = own();

  it('has its schema before the first statement, and takes a probe', async () => {
    expect(await database().query('select * from road_segments')).toEqual([]);
    await database().probe();
    await database().probe();
    await database().ping();
  });

  it('does not hide a wrong statement', async () => {
    await expect(database().query('select nothing')).rejects.not.toMatchObject({ statusCode: 503 });
  });
});

describe('a PostgreSQL server', () => {
  const postgres = ownPostgres();

  it('is given its schema once by processes that start together', async () => {
    const url = await postgres().database();
    const all = Array.from({ length: 6 }, () => open(url));
    await Promise.all(all.map((database) => database.probe()));
    expect(await all[0]?.query('select version from road_schema')).toEqual([{ version: 1 }]);
  });

  it('may have a schema of a later version', async () => {
    const url = await postgres().database();
    const database = open(url);
    await database.query('insert into road_schema values (99, now())');
    await open(url).probe();
  });

  it('that is absent is a 503, and is used when it comes', async () => {
    const absent = open(`postgres://road@127.0.0.1:${await freePort()}/road`);
    await expect(absent.query('select 1')).rejects.toMatchObject(away);
    await expect(absent.probe()).rejects.toMatchObject(away);

    const url = await postgres().database();
    const early = open(url);
    await postgres().kill();
    await expect(early.query('select 1')).rejects.toMatchObject(away);
    await postgres().start();
    await early.probe();
  });

  it('that dies and comes back has kept what it took', async () => {
    const database = open(await postgres().database());
    await database.probe();
    await postgres().kill();
    await expect(database.probe()).rejects.toMatchObject(away);
    await postgres().start();
    expect(await database.query('select id from road_probe')).toEqual([{ id: 1 }]);
  });

  it('that hangs is a 503 within three seconds, and serves again when it goes on', async () => {
    const database = open(await postgres().database());
    await database.probe();
    postgres().pause();
    onTestFinished(() => postgres().resume());
    const startedAtMs = performance.now();
    await expect(database.query('select 1')).rejects.toMatchObject(away);
    expect(performance.now() - startedAtMs).toBeLessThan(3_000);
    postgres().resume();
    await database.probe();
  });
});

describe('the embedded database', () => {
  it('is not started by those who only look after it', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'commonhold-road-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const engine = new EmbeddedEngine(directory);
    const database = new MigratedDatabase(engine);
    await database.probe();
    await database.ping();
    expect(engine.isStarted).toBe(false);
    await database.close();
  });

  it('keeps what it took, and is one process’s alone', { timeout: 40_000 }, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'commonhold-road-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const first = new MigratedDatabase(new EmbeddedEngine(directory));
    await first.query('select 1');
    await first.probe();
    const second = new MigratedDatabase(new EmbeddedEngine(directory));
    const taken = { statusCode: 503, message: expect.stringMatching(/one process alone/) as string };
    await expect(second.ping()).rejects.toMatchObject(taken);
    await expect(second.query('select 1')).rejects.toMatchObject(taken);
    await first.close();
    await second.ping();
    expect(await second.query('select id from road_probe')).toEqual([{ id: 1 }]);
    await second.close();
  });
});
