import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EmbeddedEngine } from '../../src/database/embedded-engine.js';
import { MigratedDatabase } from '../../src/database/migrated-database.js';
import { databases } from './databases.js';

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
