import { bytesReply, type CommandArgument, textReply } from '../backend/redis/redis-client.js';
import type { RedisWire } from '../backend/redis/redis-wire.js';
import { loadScript } from '../backend/redis/script.js';
import { InvalidArgumentError } from '../errors.js';
import { hashTag, type Keys } from '../keys.js';
import { type NamedOperation, withDurability } from '../operation.js';
import { readAnswer, readEnd, readOpened, readRecord, readRefusal, renewed } from './redis-session-record.js';
import { sessionBase, sessionIndexKey } from './session-keys.js';
import { sessionChannel } from './session-news.js';
import { sessionOperations as operations } from './session-operations.js';
import {
  maxSessionBytes,
  type SessionAddress,
  type SessionEnd,
  type SessionFieldChanges,
  type SessionFields,
  type SessionGlance,
  type SessionHolder,
  type SessionPort,
  type SessionRecord,
  type SessionRefusal,
  type SessionReuse,
  type SessionRotation,
  type SessionSpace,
  type SessionUnwritten,
} from './session-port.js';

const createScript = loadScript(import.meta.url, 'create.lua');
const readScript = loadScript(import.meta.url, 'read.lua');
const setScript = loadScript(import.meta.url, 'set.lua');
const rotateScript = loadScript(import.meta.url, 'rotate.lua');
const revokeScript = loadScript(import.meta.url, 'revoke.lua');
const revokeAllScript = loadScript(import.meta.url, 'revoke-all.lua');
const lookScript = loadScript(import.meta.url, 'look.lua');
const listScript = loadScript(import.meta.url, 'list.lua');

/**
 * A session is one hash with native expiry: `v` version, `u` user, `c` created, `l` last activity, `a` absolute end, `s`
 * bytes of data, `r` by how much the key outlives the session, if at all, `t` when its user last proved who they are, if
 * after `c`, `e` device, and `d.<field>` for each field; once it has ended, only `x` with the reason. Under the old id of a
 * renewed session `x` is `renewed`, with `n` new id, `g` end of the grace and `u` user. A user's sessions are a sorted set
 * of ids by expiry, in the same slot.
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
    { user, device }: SessionHolder,
    fields: SessionFields,
  ): Promise<SessionRecord | 'full'> {
    const base = this.#base(space, bucket);
    const args = [id, user ?? '', device ?? '', ...fields.flat()];
    const reply = await this.#run(operations.create, createScript, [base + id], base, space, args);
    if (String(reply) === 'full') return 'full';
    const now = Number(reply);
    const times = { createdAtMs: now, lastActivityAtMs: now, endsAtMs: now + space.absoluteMs };
    const authenticatedAtMs = user === undefined ? undefined : now;
    return { id, user, device, authenticatedAtMs, ...times, version: 1, fields };
  }

  // Native expiry has removed what expired, so one plain command says it all, unless expired sessions are remembered.
  // Text costs a fifth less to receive than bytes, and nearly all sessions are text; bytes that are not show as U+FFFD.
  async read(space: SessionSpace, address: SessionAddress): Promise<SessionRecord | SessionEnd | SessionReuse> {
    if (space.rememberMs > 0) return this.#open(operations.read, space, address, '');
    const { bucket, id } = address;
    const command = ['HGETALL', this.#base(space, bucket) + id];
    let record: ReturnType<typeof readRecord> | undefined;
    if (!this.#binary.has(space.name)) {
      const text = (await this.#wire.command(operations.read, command, textReply)) as string[];
      if (text.some((part) => part.includes('\ufffd'))) this.#binary.add(space.name);
      else record = readRecord(id, text);
    }
    record ??= readRecord(id, (await this.#wire.command(operations.read, command, bytesReply)) as Buffer[]);
    return record === renewed ? this.#open(operations.read, space, address, '') : record;
  }

  async touch(space: SessionSpace, address: SessionAddress): Promise<SessionRecord | SessionEnd | SessionReuse> {
    return this.#open(operations.touch, space, address, '1');
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
    const record = readAnswer(address.id, reply);
    return typeof record === 'string' ? 'ended' : record;
  }

  async rotate(
    space: SessionSpace,
    { bucket, id }: SessionAddress,
    newId: string,
    { user, device, renewal }: SessionRotation,
    fields: SessionFieldChanges,
  ): Promise<SessionRecord | SessionRefusal> {
    const base = this.#base(space, bucket);
    const graceMs = renewal ? String(space.graceMs) : '';
    const args = [id, newId, user ?? '', device ?? '', graceMs, ...changesOf(fields)];
    const keys = [base + id, base + newId];
    return readRefusal(newId, await this.#run(operations.rotate, rotateScript, keys, base, space, args));
  }

  async take(
    space: SessionSpace,
    { bucket, id }: SessionAddress,
    fields: SessionFieldChanges,
  ): Promise<SessionRecord | SessionRefusal> {
    const base = this.#base(space, bucket);
    const args = [id, '', '1', ...changesOf(fields)];
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
    const args = [id, user ?? '', ''];
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

  async look(space: SessionSpace, { bucket, id }: SessionAddress): Promise<SessionGlance | SessionEnd> {
    const base = this.#base(space, bucket);
    const reply = await this.#run(operations.look, lookScript, [base + id], base, space, [id]);
    if (!Array.isArray(reply)) return readEnd(reply);
    const [liveId, expiresAtMs] = reply as [Buffer, number];
    return { id: liveId.toString(), expiresAtMs };
  }

  async list(space: SessionSpace, bucket: string, user: string): Promise<SessionRecord[]> {
    const base = this.#base(space, bucket);
    const reply = await this.#run(operations.list, listScript, [sessionIndexKey(base, user)], base, space, []);
    const records = (reply as [Buffer, Buffer[]][]).map(([id, flat]) => readAnswer(id.toString(), flat));
    return records.filter((record) => typeof record !== 'string');
  }

  async #open(
    operation: NamedOperation,
    space: SessionSpace,
    { bucket, id }: SessionAddress,
    touch: '1' | '',
  ): Promise<SessionRecord | SessionEnd | SessionReuse> {
    const base = this.#base(space, bucket);
    return readOpened(id, await this.#run(operation, readScript, [base + id], base, space, [id, touch]));
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
    const { idleMs, absoluteMs, rememberMs, tombstoneMs, maxPerUser, whenFull } = space;
    const numbers = [idleMs, absoluteMs, rememberMs, tombstoneMs, maxSessionBytes, maxPerUser].map(String);
    const shared = [base, ...numbers, whenFull, sessionChannel(this.#keys, space)];
    return this.#wire.run(operation, script, keys, [...shared, ...args], bytesReply);
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
