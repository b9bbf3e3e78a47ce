import type { Log } from '../../log.js';
import type { NamedOperation } from '../../operation.js';
import { connectFailure } from './classify.js';
import { nodeAddress } from './cluster-topology.js';
import type { RedisEndpoint } from './redis-client.js';
import { RedisConnection, type RedisConnectionOptions } from './redis-connection.js';

/** Which sentinels to ask, and for which master. */
export interface SentinelsOptions extends Omit<
  RedisConnectionOptions,
  'endpoint' | 'inCluster' | 'redirector' | 'onChange' | 'pulse' | 'onLoss'
> {
  readonly sentinels: readonly RedisEndpoint[];
  /** By the name that the sentinels know it by. */
  readonly master: string;
  /** Called when a sentinel says that another server is the master now. */
  readonly onNews: () => void;
}

/** Where a server is. */
export type ServerAddress = Pick<RedisEndpoint, 'host' | 'port'>;

/** What one sentinel says of the master. */
export interface MasterReport extends ServerAddress {
  /** Grows with each failover. */
  readonly epoch: number;
  /** Whether the sentinels agree that it is down, or replace it right now. */
  readonly down: boolean;
}

const asking: NamedOperation = { name: 'sentinel.ask', kind: 'read', away: 'refuse', deadline: 'state' };
/** Of a sentinel no more is expected than of a server: the longest it is waited for while others have answered. */
const longestAnswerMs = 250;
const switchChannel = '+switch-master';

/** A connection to each sentinel, to ask who the master is and to hear when another becomes it. */
export class Sentinels {
  readonly #options: SentinelsOptions;
  #connections: readonly RedisConnection[] = [];

  constructor(options: SentinelsOptions) {
    this.#options = options;
  }

  /** Resolves after the first attempt at each, whether or not they succeeded. */
  async start(): Promise<void> {
    const { sentinels, master, onNews, log, deadlineMs, ...shared } = this.#options;
    const answerMs = Math.min(longestAnswerMs, deadlineMs.state);
    this.#connections = await Promise.all(
      sentinels.map((endpoint) =>
        RedisConnection.open({
          ...shared,
          endpoint,
          deadlineMs: { state: answerMs, cache: answerMs },
          log: sentinelLog(log, nodeAddress(endpoint)),
        }),
      ),
    );
    const hear = (message: { toString(): string }): void => {
      if (message.toString().startsWith(`${master} `)) onNews();
    };
    await Promise.all(this.#connections.map(({ bus }) => bus.subscribe(switchChannel, hear)));
  }

  /**
   * Asks all of them at once. Of those that answer, the one that knows of the latest failover is believed: another may not
   * have heard of it yet. Rejects, saying why, when none knows.
   */
  async master(): Promise<MasterReport> {
    const answers = await Promise.allSettled(this.#connections.map((connection) => this.#ask(connection)));
    const reports = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    const [latest] = reports.toSorted((one, other) => other.epoch - one.epoch);
    if (latest !== undefined) return latest;
    const failed = answers.find((answer) => answer.status === 'rejected');
    throw new Error(`no sentinel names the master '${this.#options.master}': ${connectFailure(failed?.reason)}`);
  }

  /** The raw clients by `host:port`. */
  clients(): ReadonlyMap<string, unknown> {
    return new Map(this.#connections.map(({ address, client }) => [address, client]));
  }

  async close(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.close(true)));
  }

  async #ask({ wire }: RedisConnection): Promise<MasterReport> {
    const { master } = this.#options;
    const [address, details] = await Promise.all([
      wire.command(asking, ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master]),
      wire.command(asking, ['SENTINEL', 'MASTER', master]),
    ]);
    return parseReport(address, details, master);
  }
}

/**
 * Reads the replies of SENTINEL GET-MASTER-ADDR-BY-NAME and SENTINEL MASTER. While a failover is under way the first names
 * the new master as soon as it is one; the second goes on with the old one until all replicas have followed.
 * @throws Error for what is no such reply, or when the sentinel does not know the master.
 */
export function parseReport(address: unknown, details: unknown, master: string): MasterReport {
  const [host, port] = Array.isArray(address) ? (address as unknown[]) : [];
  if (typeof host !== 'string' || host === '' || !(Number(port) > 0)) {
    throw new Error(`the sentinels know no master '${master}'`);
  }
  const fields = fieldsOf(details);
  const flags = (fields.get('flags') ?? '').split(',');
  const replaced = fields.has('ip') && (fields.get('ip') !== host || fields.get('port') !== String(port));
  return {
    host,
    port: Number(port),
    epoch: Number(fields.get('config-epoch') ?? 0) + (replaced ? 0.5 : 0),
    down: !replaced && (flags.includes('o_down') || flags.includes('failover_in_progress')),
  };
}

function fieldsOf(details: unknown): ReadonlyMap<string, string> {
  const words = Array.isArray(details) ? details.map(String) : [];
  const pairs = words.flatMap((word, index) => (index % 2 === 0 ? [[word, words[index + 1] ?? ''] as const] : []));
  return new Map(pairs);
}

// The words of a connection are about calls, which no sentinel takes.
function sentinelLog(log: Log, sentinel: string): Log {
  return {
    info: (details) => log.info({ sentinel, ...details }, 'a sentinel can be asked'),
    warn: (details) => log.warn({ sentinel, ...details }, 'a sentinel cannot be asked'),
    error: (details, message) => log.error({ sentinel, ...details }, message),
  };
}
