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

/** Where Redis is, as the environment names it. */
export type NamedRedis = (
  | { readonly url: string; readonly fallbacks?: readonly string[] }
  | { readonly cluster: readonly string[] }
  | SentinelsNamed
) & {
  /** The variable to blame for a bad URL. */
  readonly where: string;
  /** The variables of other options. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Another server, for caches. */
  readonly cacheUrl?: string;
};

interface SentinelsNamed {
  readonly sentinels: readonly string[];
  readonly master: string;
  readonly password?: string;
  readonly database: number;
}

/**
 * The Redis that the environment names, or undefined for memory. `USE_REDIS=false` wins over all; otherwise Redis is used
 * when `USE_REDIS=true`, `REDIS_CLUSTER`, `REDIS_SENTINELS`, `REDIS_URL` or `REDIS_HOST` is set, or `NODE_ENV=production`.
 * In this order they win over each other: `REDIS_CLUSTER`, the URLs of some nodes of a cluster separated by commas;
 * `REDIS_SENTINELS`, the URLs of sentinels, with `REDIS_SENTINEL_MASTER`, and `REDIS_DB` and `REDIS_PASSWORD` of the
 * servers; `REDIS_URL`, where `memory://` means memory; `REDIS_HOST` (localhost) with `REDIS_PORT` (6379), `REDIS_DB` (0)
 * and `REDIS_PASSWORD`. The last two may have `REDIS_FALLBACK_URLS` beside them, and all of them `REDIS_CACHE_URL`.
 *
 * @throws InvalidArgumentError naming the variable.
 */
export function redisFromEnvironment(environment: Environment): NamedRedis | undefined {
  const use = booleanVariable(environment, 'USE_REDIS');
  const production = variable(environment, 'NODE_ENV') === 'production';
  const isNamed = redisNames.some((name) => variable(environment, name) !== undefined);
  if (use === false || !(use || isNamed || production)) return undefined;
  const state = stateFrom(environment);
  const cacheUrl = variable(environment, 'REDIS_CACHE_URL');
  return state === undefined || cacheUrl === undefined ? state : { ...state, cacheUrl };
}

const redisNames = ['REDIS_CLUSTER', 'REDIS_SENTINELS', 'REDIS_URL', 'REDIS_HOST'];

function stateFrom(environment: Environment): NamedRedis | undefined {
  const cluster = listVariable(environment, 'REDIS_CLUSTER');
  if (cluster !== undefined) return { cluster, where: named('REDIS_CLUSTER') };
  const sentinels = listVariable(environment, 'REDIS_SENTINELS');
  if (sentinels !== undefined) return sentinelsFrom(environment, sentinels);
  const url = variable(environment, 'REDIS_URL');
  if (url === 'memory://') return undefined;
  const host = variable(environment, 'REDIS_HOST') ?? 'localhost';
  const place =
    url === undefined
      ? { url: urlFromParts(environment, host), where: named('REDIS_HOST') }
      : { url, where: named('REDIS_URL') };
  const fallbacks = listVariable(environment, 'REDIS_FALLBACK_URLS');
  if (fallbacks === undefined) return place;
  return { ...place, fallbacks, variables: { fallbacks: named('REDIS_FALLBACK_URLS') } };
}

function sentinelsFrom(environment: Environment, sentinels: readonly string[]): NamedRedis {
  const password = variable(environment, 'REDIS_PASSWORD');
  return {
    sentinels,
    master: variable(environment, 'REDIS_SENTINEL_MASTER') ?? '',
    database: databaseFrom(environment),
    ...(password === undefined ? {} : { password }),
    where: named('REDIS_SENTINELS'),
    variables: { master: named('REDIS_SENTINEL_MASTER') },
  };
}

/** Texts separated by commas, or undefined when unset. */
function listVariable(environment: Environment, name: string): readonly string[] | undefined {
  return variable(environment, name)
    ?.split(',')
    .map((item) => item.trim());
}

function databaseFrom(environment: Environment): number {
  return numberVariable(environment, 'REDIS_DB', 0, 1_000_000) ?? 0;
}

function urlFromParts(environment: Environment, host: string): string {
  const port = numberVariable(environment, 'REDIS_PORT', 1, 65_535) ?? 6379;
  const database = databaseFrom(environment);
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
