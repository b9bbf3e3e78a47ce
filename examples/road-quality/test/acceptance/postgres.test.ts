import { freePort } from 'commonhold/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MigratedDatabase } from '../../src/database/migrated-database.js';
import { PostgresEngine } from '../../src/database/postgres-engine.js';
import { ownPostgres, silent } from '../database/databases.js';

const away = { statusCode: 503, message: expect.stringMatching(/observationId/) as string };

function open(url: string): MigratedDatabase {
  const database = new MigratedDatabase(new PostgresEngine(url, silent));
  onTestFinished(() => database.close());
  return database;
}

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
