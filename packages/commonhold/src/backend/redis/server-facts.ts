/** What a Redis server says of itself, from INFO: works where CONFIG is forbidden. */
export interface ServerFacts {
  readonly version: string;
  readonly clustered: boolean;
  /** `master` or `slave`. */
  readonly role: string;
  /** `noeviction`, or the policy by which the server drops live keys. */
  readonly evictionPolicy: string;
  /** 0 when unlimited. */
  readonly maxMemoryBytes: number;
  /** How many keys it dropped by that policy since its start. */
  readonly evictedKeys: number;
  /** Changes with each start of the server. */
  readonly runId: string;
  /** Names the history of its data: a replica has that of its master. Empty when the server does not say. */
  readonly history: string;
  /** The history that it had as a replica, before it became a master; zeros when it was none. */
  readonly formerHistory: string;
  /** How many replicas are connected to it. */
  readonly replicas: number;
  /** Whether it appends what is written to a log on disk. */
  readonly keepsLog: boolean;
}

/** Reads the text of INFO. Absent lines give an empty string or zero. */
export function parseServerFacts(info: string): ServerFacts {
  const lines = new Map<string, string>();
  for (const line of info.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0) lines.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return {
    version: lines.get('redis_version') ?? '',
    clustered: lines.get('redis_mode') === 'cluster',
    role: lines.get('role') ?? '',
    evictionPolicy: lines.get('maxmemory_policy') ?? '',
    maxMemoryBytes: Number(lines.get('maxmemory') ?? 0),
    evictedKeys: Number(lines.get('evicted_keys') ?? 0),
    runId: lines.get('run_id') ?? '',
    history: lines.get('master_replid') ?? '',
    formerHistory: lines.get('master_replid2') ?? '',
    replicas: Number(lines.get('connected_slaves') ?? 0),
    keepsLog: lines.get('aof_enabled') === '1',
  };
}

/** What is wrong with this server for anything but a cache, in plain words; undefined when nothing is. */
export function stateWarning(facts: ServerFacts): string | undefined {
  if (facts.evictionPolicy === '' || facts.evictionPolicy === 'noeviction') return undefined;
  return (
    `maxmemory-policy is ${facts.evictionPolicy}: when memory is short Redis silently drops sessions, queues and ` +
    'counters; set it to noeviction'
  );
}
