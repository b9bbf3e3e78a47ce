import { readFileSync } from 'node:fs';
import { type Guard, openState } from 'commonhold';
import { Client } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ownPostgres } from './databases.js';

const page = readFileSync(new URL('../../../../docs/features/lock.md', import.meta.url), 'utf8');

/** A statement as the page of locks prints it. */
function statement(name: string): string {
  const text = new RegExp(`const ${name} = '([^']+)';`).exec(page)?.[1];
  if (text === undefined) throw new Error(`docs/features/lock.md holds no ${name}`);
  return text;
}

describe('the SQL that the page of locks gives', () => {
  const postgres = ownPostgres();

  it('refuses whoever lost the lock from the first statement of the next holder on', async () => {
    const client = new Client({ connectionString: await postgres().database() });
    await client.connect();
    onTestFinished(() => client.end());
    await client.query("create table conversion (id text primary key, state text not null default 'new')");
    await client.query(statement('column'));
    await client.query("insert into conversion (id) values ('42')");
    await using state = await openState({ namespace: 'sql' });
    const acquire = (): Promise<Guard> => state.lock('convert:42').run(({ guard }) => guard);
    const begin = async ({ token }: Guard): Promise<unknown> =>
      (await client.query(statement('begin'), [token, '42'])).rows[0];
    const finish = async ({ token }: Guard, to: string): Promise<number | null> =>
      (await client.query(statement('finish'), [token, to, '42'])).rowCount;

    const old = await acquire();
    expect(await begin(old)).toEqual({ state: 'new' });
    expect(await finish(old, 'half')).toBe(1);
    const fresh = await acquire();
    expect(await finish(old, 'still alone')).toBe(1);
    expect(await begin(fresh)).toEqual({ state: 'still alone' });
    expect(await begin(old)).toBeUndefined();
    expect(await finish(old, 'stale')).toBe(0);
    expect(await finish(fresh, 'done')).toBe(1);
    expect((await client.query('select state from conversion')).rows).toEqual([{ state: 'done' }]);
  });
});
