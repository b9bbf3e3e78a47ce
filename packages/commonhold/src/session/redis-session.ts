import { bytesReply, type CommandArgument, textReply } from '../backend/redis/redis-client.js';
import type { RedisWire } from '../backend/redis/redis-wire.js';
import { loadScript } from '../backend/redis/script.js';
import { InvalidArgumentError } from '../errors.js';
import { hashTag, type Keys } from '../keys.js';
import { type NamedOperation, withDurability } from '../operation.js';
import { readAnswer, readRecord, readRefusal } from './redis-session-record.js';
import { sessionBase, sessionIndexKey } from './session-keys.js';
import { sessionOperations as operations } from './session-operations.js';
import {
  maxSessionBytes,
  type SessionAddress,
  type SessionEnd,
  type SessionFieldChanges,
  type SessionFields,
  type SessionPort,
  type SessionRecord,
  type SessionRefusal,
  type SessionSpace,
  type SessionUnwritten,
} from './session-port.js';

const createScript = loadScript(import.meta.url, 'create.lua');
const readScript = loadScript(import.meta.url, 'read.lua');
const setScript = loadScript(import.meta.url, 'set.lua');
const rotateScript = loadScript(import.meta.url, 'rotate.lua');
const revokeScript = loadScript(import.meta.url, 'revoke.lua');
const revokeAllScript = loadScript(import.meta.url, 'revoke-all.lua');
const listScript = loadScript(import.meta.url, 'list.lua');

/**
 * A session is one hash with native expiry: `v` version, `u` user, `c` created, `l` last activity, `a` absolute end, `s`
 * bytes of data, `r` by how much the key outlives the session, if at all, and `d.<field>` for each field; once it has
 * ended, only `x` with the reason. A user's sessions are a sorted set of ids by expiry, in the same slot.
 */
export class RedisSession implements SessionPort {
  readonly #wire: RedisWire;
  readonly #keys: Keys;
  /** Names of sessions that were seen to hold bytes that are not text. */
  readonly #binary = new Set<string>();

  constructor(wire: RedisWire, keys: Keys) {
    this.#wire = wire;
    this.#keys = keys;
  }

  async create(
    space: SessionSpace,
    { bucket, id }: SessionAddress,
    user: string | undefined,
    fields: SessionFields,
  ): Promise<SessionRecord> {
    const base = this.#base(space, bucket);
    const args = [id, user ?? '', ...fields.flat()];
    const reply = await this.#run(operations.create, createScript, [base + id], base, space, args);
    const createdAtMs = Number(reply);
    const endsAtMs = createdAtMs + space.absoluteMs;
    return { id, user, createdAtMs, lastActivityAtMs: createdAtMs, endsAtMs, version: 1, fields };
  }

  // Native expiry has removed what expired, so one plain command says it all, unless expired sessions are remembered.
  // Text costs a fifth less to receive than bytes, and nearly all sessions are text; bytes that are not show as U+FFFD.
  async read(space: SessionSpace, { bucket, id }: SessionAddress): Promise<SessionRecord | SessionEnd> {
    const base = this.#base(space, bucket);
    if (space.rememberMs > 0) {
      return readAnswer(id, await this.#run(operations.read, readScript, [base + id], base, space, [id, '']));
    }
    const command = ['HGETALL', base + id];
    if (!this.#binary.has(space.name)) {
      const text = (await this.#wire.command(operations.read, command, textReply)) as string[];
      if (!text.some((part) => part.includes('\ufffd'))) return readRecord(id, text);
      this.#binary.add(space.name);
    }
    return readRecord(id, (await this.#wire.command(operations.read, command, bytesReply)) as Buffer[]);
  }

  async touch(space: SessionSpace, { bucket, id }: SessionAddress): Promise<SessionRecord | SessionEnd> {
    const base = this.#base(space, bucket);
    return readAnswer(id, await this.#run(operations.touch, readScript, [base + id], base, space, [id, '1']));
  }

  async set(
    space: SessionSpace,
    address: SessionAddress,
    fields: SessionFieldChanges,
  ): Promise<number | SessionUnwritten> {
    return (await this.#write(operations.set, space, address, '', fields)) as number | SessionUnwritten;
  }

  async replace(
    space: SessionSpace,
    address: SessionAddress,
    version: number,
    fields: SessionFieldChanges,
  ): Promise<number | SessionRecord | SessionUnwritten> {
    const reply = await this.#write(operations.replace, space, address, String(version), fields);
    if (!Array.isArray(reply)) return reply as number | SessionUnwritten;
    const record = readRecord(address.id, reply as Buffer[]);
    return typeof record === 'string' ? 'ended' : record;
  }

  async rotate(
    space: SessionSpace,
    { bucket, id }: SessionAddress,
    newId: string,
    user: string | undefined,
    fields: SessionFieldChanges,
  ): Promise<SessionRecord | SessionRefusal> {
    const base = this.#base(space, bucket);
    const args = [id, newId, user ?? '', ...changesOf(fields)];
    const keys = [base + id, base + newId];
    return readRefusal(newId, await this.#run(operations.rotate, rotateScript, keys, base, space, args));
  }

  async take(
    space: SessionSpace,
    { bucket, id }: SessionAddress,
    fields: SessionFieldChanges,
  ): Promise<SessionRecord | SessionRefusal> {
    const base = this.#base(space, bucket);
    const args = [id, '', ...changesOf(fields)];
    return readRefusal(id, await this.#run(operations.take, revokeScript, [base + id], base, space, args));
  }

  async revoke(
    space: SessionSpace,
    { bucket, id }: SessionAddress,
    user: string | undefined,
    durable?: boolean,
  ): Promise<boolean> {
    const base = this.#base(space, bucket);
    const operation = withDurability(operations.revoke, durable);
    const args = [id, user ?? ''];
    return Array.isArray(await this.#run(operation, revokeScript, [base + id], base, space, args));
  }

  async revokeAll(
    space: SessionSpace,
    bucket: string,
    user: string,
    exceptId: string | undefined,
    durable?: boolean,
  ): Promise<number> {
    const base = this.#base(space, bucket);
    const operation = withDurability(operations.revokeAll, durable);
    const keys = [sessionIndexKey(base, user)];
    return Number(await this.#run(operation, revokeAllScript, keys, base, space, [exceptId ?? '']));
  }

  async list(space: SessionSpace, bucket: string, user: string): Promise<SessionRecord[]> {
    const base = this.#base(space, bucket);
    const reply = await this.#run(operations.list, listScript, [sessionIndexKey(base, user)], base, space, []);
    const records = (reply as [Buffer, Buffer[]][]).map(([id, flat]) => readRecord(id.toString(), flat));
    return records.filter((record) => typeof record !== 'string');
  }

  async #write(
    operation: NamedOperation,
    space: SessionSpace,
    { bucket, id }: SessionAddress,
    version: string,
    fields: SessionFieldChanges,
  ): Promise<unknown> {
    const key = this.#base(space, bucket) + id;
    const args = [version, String(maxSessionBytes), ...changesOf(fields)];
    const reply = await this.#wire.run(operation, setScript, [key], args, bytesReply);
    return Buffer.isBuffer(reply) ? reply.toString() : reply;
  }

  #run(
    operation: NamedOperation,
    script: typeof readScript,
    keys: readonly string[],
    base: string,
    space: SessionSpace,
    args: readonly CommandArgument[],
  ): Promise<unknown> {
    const { idleMs, absoluteMs, rememberMs, tombstoneMs, maxPerUser } = space;
    const numbers = [idleMs, absoluteMs, rememberMs, tombstoneMs, maxSessionBytes, maxPerUser].map(String);
    return this.#wire.run(operation, script, keys, [base, ...numbers, ...args], bytesReply);
  }

  // The scripts reach from a session to its index, which a cluster allows within one slot only.
  #base(space: SessionSpace, bucket: string): string {
    const { prefix } = space;
    if (this.#wire.clustered && prefix !== undefined && hashTag(prefix) === prefix) {
      throw new InvalidArgumentError(
        'sessions prefix',
        `a hash tag on a clustered server, as in '{${prefix}}'`,
        prefix,
      );
    }
    return sessionBase(this.#keys, space, bucket);
  }
}

// No encoded value is empty, so an empty one can stand for removal.
function changesOf(fields: SessionFieldChanges): CommandArgument[] {
  return fields.flatMap(([name, value]) => [name, value ?? '']);
}
