import type { Stored } from '../codec/stored.js';
import { bytesReply, type CommandArgument } from '../backend/redis/redis-client.js';
import type { RedisWire } from '../backend/redis/redis-wire.js';
import { loadScript, type Script } from '../backend/redis/script.js';
import type { Keys } from '../keys.js';
import { type LineMember, memberText, ownerOf } from '../line-member.js';
import type { NamedOperation } from '../operation.js';
import { runOnceOperations as operations } from './run-once-operations.js';
import { type KeptResult, type RunClaim, type RunOncePort, type RunRecord, runTopic } from './run-once-port.js';

const claimScript = loadScript(import.meta.url, 'claim.lua');
const renewScript = loadScript(import.meta.url, 'renew.lua');
const finishScript = loadScript(import.meta.url, 'finish.lua');
const leaveScript = loadScript(import.meta.url, 'leave.lua');
const getScript = loadScript(import.meta.url, 'get.lua');
const forgetScript = loadScript(import.meta.url, 'forget.lua');

type Reply = readonly [state: Buffer, first: Buffer | number, second: Buffer | number, third: Buffer];

/**
 * A run is a hash (`holder`, `attempts`, `fingerprint` where it has one, `started_at`, `ends_at`, then `finished_at`,
 * `result`) and two sorted sets of those who wait: by arrival, by lease.
 */
export class RedisRunOnce implements RunOncePort {
  readonly #wire: RedisWire;
  readonly #keys: Keys;

  constructor(wire: RedisWire, keys: Keys) {
    this.#wire = wire;
    this.#keys = keys;
  }

  async claim(
    name: string,
    key: string,
    member: LineMember,
    leaseMs: number,
    waitMs: number,
    keepMs: number,
    fingerprint: string | undefined,
  ): Promise<RunClaim> {
    const args = [memberText(member), `${leaseMs}`, `${waitMs}`, `${keepMs}`, fingerprint ?? ''];
    const reply = await this.#run(operations.claim, claimScript, this.#names(name, key), args);
    const state = reply[0].toString();
    if (state === 'mismatch') return { state };
    if (state === 'done') return keptResult(reply);
    if (state === 'run') return { state, attempt: Number(reply[1]) };
    return { state: 'wait', first: reply[1] === 1, goneInMs: Number(reply[2]) };
  }

  async renew(name: string, key: string, member: LineMember, leaseMs: number, keepMs: number): Promise<boolean> {
    const args = [memberText(member), `${leaseMs}`, `${keepMs}`];
    return (await this.#wire.run(operations.renew, renewScript, [this.#entry(name, key)], args)) === 1;
  }

  async finish(
    name: string,
    key: string,
    member: LineMember,
    result: Stored,
    keepMs: number,
  ): Promise<{ state: 'kept' } | { state: 'lost' } | KeptResult> {
    const args = [memberText(member), `${keepMs}`, this.#keys.wakePrefix, runTopic(name, key, ''), result];
    const reply = await this.#run(operations.finish, finishScript, this.#names(name, key), args);
    const state = reply[0].toString();
    return state === 'done' ? keptResult(reply) : { state: state === 'kept' ? 'kept' : 'lost' };
  }

  async leave(name: string, key: string, member: LineMember, keepMs: number): Promise<boolean> {
    const args = [memberText(member), `${keepMs}`, this.#keys.wakePrefix, runTopic(name, key, '')];
    return (await this.#wire.run(operations.leave, leaveScript, this.#names(name, key), args)) === 1;
  }

  async get(name: string, key: string): Promise<RunRecord> {
    const reply = await this.#run(operations.get, getScript, [this.#entry(name, key)], []);
    const state = reply[0].toString();
    if (state === 'done') return keptResult(reply);
    if (state === 'absent') return { state };
    const [, member, attempt, startedAtMs] = reply;
    return {
      state: 'running',
      owner: ownerOf(member.toString()),
      attempt: Number(attempt),
      startedAtMs: Number(startedAtMs),
    };
  }

  async forget(name: string, key: string): Promise<boolean> {
    return (await this.#wire.run(operations.forget, forgetScript, [this.#entry(name, key)], [])) === 1;
  }

  #entry(name: string, key: string): string {
    return this.#keys.tagged('run-once', name, key);
  }

  #names(name: string, key: string): readonly string[] {
    const entry = this.#entry(name, key);
    return [entry, `${entry}:waiting`, `${entry}:waiting-leases`];
  }

  async #run(
    operation: NamedOperation,
    script: Script,
    names: readonly string[],
    args: readonly CommandArgument[],
  ): Promise<Reply> {
    return (await this.#wire.run(operation, script, names, args, bytesReply)) as Reply;
  }
}

function keptResult([, result, member, finishedAtMs]: Reply): KeptResult {
  return {
    state: 'done',
    result: result as Buffer,
    owner: ownerOf(member.toString()),
    finishedAtMs: Number(finishedAtMs),
  };
}
