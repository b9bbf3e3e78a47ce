import { isIPv6 } from 'node:net';
import { InvalidArgumentError } from './errors.js';

/** Environment variables, as `process.env` holds them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The value of `name`; an empty variable is an unset one. */
export function variable(environment: Environment, name: string): string | undefined {
  const value = environment[name];
  return value === undefined || value === '' ? undefined : value;
}

/** A whole number from `least` to `most`, or undefined when unset. */
export function numberVariable(
  environment: Environment,
  name: string,
  least: number,
  most: number,
): number | undefined {
  const text = variable(environment, name);
  if (text === undefined) return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new InvalidArgumentError(named(name), `a whole number from ${least} to ${most}`, text);
}

/** True or false, or undefined when unset. */
export function booleanVariable(environment: Environment, name: string): boolean | undefined {
  const text = variable(environment, name)?.toLowerCase();
  if (text === undefined) return undefined;
  if (['true', '1', 'yes', 'on'].includes(text)) return true;
  if (['false', '0', 'no', 'off'].includes(text)) return false;
  throw new InvalidArgumentError(named(name), "'true' or 'false'", text);
}

/** A Redis, or some nodes of a cluster, that the environment names. */
export type NamedRedis = ({ readonly url: string } | { readonly cluster: readonly string[] }) & {
  /** The variable to blame for a bad URL. */
  readonly where: string;
};

/**
 * The Redis that the environment names, or undefined for memory. `USE_REDIS=false` wins over all; otherwise Redis is used
 * when `USE_REDIS=true`, `REDIS_CLUSTER`, `REDIS_URL` or `REDIS_HOST` is set, or `NODE_ENV=production`. `REDIS_CLUSTER`,
 * the URLs of some nodes of a cluster separated by commas, wins over `REDIS_URL`, and that over `REDIS_HOST` (localhost),
 * `REDIS_PORT` (6379), `REDIS_DB` (0) and `REDIS_PASSWORD`; `REDIS_URL=memory://` means memory.
 *
 * @throws InvalidArgumentError naming the variable.
 */
export function redisFromEnvironment(environment: Environment): NamedRedis | undefined {
  const use = booleanVariable(environment, 'USE_REDIS');
  const url = variable(environment, 'REDIS_URL');
  const host = variable(environment, 'REDIS_HOST');
  const cluster = variable(environment, 'REDIS_CLUSTER');
  const production = variable(environment, 'NODE_ENV') === 'production';
  const isNamed = cluster !== undefined || url !== undefined || host !== undefined;
  if (use === false || !(use || isNamed || production)) return undefined;
  if (cluster !== undefined) {
    return { cluster: cluster.split(',').map((node) => node.trim()), where: named('REDIS_CLUSTER') };
  }
  if (url === 'memory://') return undefined;
  if (url !== undefined) return { url, where: named('REDIS_URL') };
  return { url: urlFromParts(environment, host ?? 'localhost'), where: named('REDIS_HOST') };
}

function urlFromParts(environment: Environment, host: string): string {
  const port = numberVariable(environment, 'REDIS_PORT', 1, 65_535) ?? 6379;
  const database = numberVariable(environment, 'REDIS_DB', 0, 1_000_000) ?? 0;
  const password = variable(environment, 'REDIS_PASSWORD');
  const login = password === undefined ? '' : `:${encodeURIComponent(password)}@`;
  // The documents' Azure settings name TLS by its port alone.
  return `${port === 6380 ? 'rediss' : 'redis'}://${login}${authority(host)}:${port}/${database}`;
}

function authority(host: string): string {
  if (isIPv6(host)) return `[${host}]`;
  if (/^[A-Za-z0-9_.-]+$/.test(host)) return host;
  throw new InvalidArgumentError(named('REDIS_HOST'), 'a host name or an address, without a port', host);
}

function named(variableName: string): string {
  return `Environment variable ${variableName}`;
}
