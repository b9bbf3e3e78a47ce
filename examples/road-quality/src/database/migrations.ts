import type { Engine, Sql } from './database.js';

/**
 * Each entry is a version of the schema: its statements run once, in order, in one transaction. An entry that was released
 * never changes; what comes later is a further entry.
 */
const versions: readonly (readonly string[])[] = [
  [
    // Geohashes compare by bytes, so that "all below this prefix" is a range of the primary key.
    `create table road_segments (
       segment_id text collate "C" primary key,
       observations bigint not null,
       quality_sum numeric not null,
       last_observed_at timestamptz not null
     )`,
    `create table road_observations (
       id uuid primary key,
       user_id text not null,
       latitude double precision not null,
       longitude double precision not null,
       quality numeric(6, 3) not null check (quality between 0 and 100),
       segment_id text collate "C" not null,
       observed_at timestamptz not null default now()
     )`,
    'create index road_observations_segment on road_observations (segment_id, observed_at)',
    'create table road_probe (id int primary key, written_at timestamptz not null)',
  ],
];

/** Any number that no other program uses for an advisory lock on this database. */
const lockNumber = 7_263_001;

/**
 * Brings the schema up to date. Of several processes that start together one does it and the others wait for it. A schema
 * of a later version is left as it is: a rollout mixes old and new processes.
 */
export async function migrate(engine: Engine): Promise<void> {
  await engine.transaction(async (sql) => {
    await sql.query(`select pg_advisory_xact_lock(${lockNumber})`);
    await sql.query(
      'create table if not exists road_schema (version int primary key, applied_at timestamptz not null)',
    );
    const [newest] = await sql.query<{ version: number }>(
      'select coalesce(max(version), 0) as version from road_schema',
    );
    for (const [index, statements] of versions.entries()) {
      if (index >= (newest?.version ?? 0)) await apply(sql, index + 1, statements);
    }
  });
}

async function apply(sql: Sql, version: number, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await sql.query(statement);
  await sql.query('insert into road_schema values ($1, now())', [version]);
}
