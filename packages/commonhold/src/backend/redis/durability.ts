import type { ServerFacts } from './server-facts.js';

/**
 * How a server can prove that a write outlives it. `replica`: WAIT, for one replica that has it. `log`: WAITAOF, for its own
 * log on disk. `reply`: the reply itself, where the log is written to disk before each (`appendfsync always`).
 */
export type Durability = 'replica' | 'log' | 'reply';

/**
 * What the server of `facts` can prove; undefined when nothing can be. With replicas it must be a replica, since one of them
 * takes over when the server dies, whatever its log says. `syncsAlways` is asked only where it matters.
 */
export async function durabilityOf(
  facts: ServerFacts,
  syncsAlways: () => Promise<boolean>,
): Promise<Durability | undefined> {
  if (facts.replicas > 0) return 'replica';
  if (!facts.keepsLog) return undefined;
  if (await syncsAlways()) return 'reply';
  return hasWaitAof(facts.version) ? 'log' : undefined;
}

/** The command by which `durability` is awaited for up to `timeoutMs`. Its first number counts who has the write. */
export function awaitDurable(durability: Exclude<Durability, 'reply'>, timeoutMs: number): string[] {
  return durability === 'replica' ? ['WAIT', '1', `${timeoutMs}`] : ['WAITAOF', '1', '0', `${timeoutMs}`];
}

/** What is missing on a server that can prove nothing, for people. */
export function undurable(facts: ServerFacts): string {
  const log = facts.keepsLog ? 'its log is not on disk before the answer' : 'it keeps no log on disk';
  return `durable: no replica is connected to the server, and ${log}`;
}

/** What to do about it. */
export const makeDurable: string =
  'Add a replica, or set appendonly yes, with appendfsync always before Redis 7.2; or leave out durable.';

function hasWaitAof(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 7 || (major === 7 && minor >= 2);
}
