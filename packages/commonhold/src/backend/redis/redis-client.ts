import { MissingDependencyError } from '../../errors.js';

/** The part of node-redis 6 that we use, described here so that the library is needed only when Redis is configured. */
export interface RedisClient {
  readonly isReady: boolean;
  connect(): Promise<unknown>;
  destroy(): void;
  sendCommand(args: readonly CommandArgument[]): Promise<unknown>;
  /** The same connection, with replies read so. */
  withTypeMapping(mapping: TypeMapping): CommandSender;
  subscribe(channels: readonly string[], listener: BufferListener, bufferMode: true): Promise<void>;
  unsubscribe(channels: readonly string[], listener: BufferListener, bufferMode: true): Promise<void>;
  /** Internal to node-redis 6, and therefore optional: what decodes the bytes received. */
  _getQueue?(): { readonly decoder: { write: (chunk: Buffer) => void } };
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
}

/** A word of a command: text is sent as its UTF-8. */
export type CommandArgument = string | Buffer;
/** Hears the messages of a pub/sub channel. */
export type BufferListener = (message: Buffer, channel: Buffer) => void;

/** Sends commands, and reads the replies in one way. */
export type CommandSender = Pick<RedisClient, 'sendCommand'>;

/** Type bytes of RESP to what such replies become. */
export type TypeMapping = Readonly<Record<number, unknown>>;

/** How replies are read: as text, or bulk strings as bytes. A constant: each is prepared once. */
export interface ReplyOptions {
  readonly typeMapping: TypeMapping;
}

/** Where a Redis is and how to get in. */
export interface RedisEndpoint {
  readonly host: string;
  readonly port: number;
  readonly database: number;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** TLS with the chain and the host name verified; `ca` for a private authority. */
  readonly tls?: { readonly ca?: string | undefined } | undefined;
}

// RESP type bytes, as node-redis keys its type mappings: '$' bulk string, '%' map.
const bulkString = 36;
const map = 37;

/** Bulk strings as text, maps as flat arrays. */
export const textReply: ReplyOptions = { typeMapping: { [map]: Array } };
/** Bulk strings as bytes, maps as flat arrays. */
export const bytesReply: ReplyOptions = { typeMapping: { [bulkString]: Buffer, [map]: Array } };

/** Calls waiting for an answer beyond this number are refused at once: a queue that grows is an outage in disguise. */
const maxCallsInFlight = 10_000;

type MakeClient = (options: object) => RedisClient;

interface RedisModule {
  readonly RedisClient: { readonly factory: (config: object) => MakeClient };
}

/**
 * Node-redis makes a class for clients with the same options, which takes it 10 ms and more, and remembers one such class:
 * `createClient` makes one for each node of a cluster. Ours differ in nothing that the class depends on.
 */
let makeClient: MakeClient | undefined;

/**
 * A client that leaves deadlines, hangs and reconnecting to us (K3): no per-command timer, no offline queue, no
 * reconnecting of its own. Only a socket that does not connect within `connectTimeout` milliseconds it drops by itself.
 * @throws MissingDependencyError when `@redis/client` is not installed.
 */
export async function createRedisClient(endpoint: RedisEndpoint, connectTimeout: number): Promise<RedisClient> {
  makeClient ??= (await loadModule()).RedisClient.factory({ RESP: 3 });
  const { host, port, database, username, password, tls } = endpoint;
  return makeClient({
    RESP: 3,
    socket: { host, port, connectTimeout, reconnectStrategy: false, ...(tls ? { tls: true, ...tls } : {}) },
    database,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    commandOptions: { timeout: 0 },
    commandsQueueMaxLength: maxCallsInFlight,
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled',
  });
}

async function loadModule(): Promise<RedisModule> {
  try {
    return (await import('@redis/client')) as unknown as RedisModule;
  } catch (cause) {
    if (!isNotFound(cause)) throw cause;
    throw new MissingDependencyError('@redis/client', 'a Redis endpoint', { cause });
  }
}

// Installed and broken is not the same as not installed.
function isNotFound(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
}
