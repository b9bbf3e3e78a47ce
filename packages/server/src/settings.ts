import { BlockList, isIP } from 'node:net';
import { type Environment, InvalidArgumentError } from 'commonhold';
import { StartError } from './start-error.js';

/** Whose `X-Forwarded-For` counts: nobody's (`false`), that of these networks, or by the number of proxies in front. */
export type TrustProxy = false | readonly string[] | ((address: string, hop: number) => boolean);

/** What the environment says about the server itself. */
export interface Settings {
  /** `PORT`, 0 to 65535; 0 takes a free one. Default 5000. */
  readonly port: number;
  /** `HOST`, a name or an address. Default 127.0.0.1. */
  readonly host: string;
  /** `DATA_DIR`, made when it is missing. Default `.data`. */
  readonly dataDirectory: string;
  /** `LOG_LEVEL`: trace, debug, info, warn, error, fatal or silent. Undefined when unset. */
  readonly logLevel: string | undefined;
  /**
   * `TRUST_PROXY`: networks, separated by commas, or the number of proxies, 1 to 16; a number only where nobody can reach
   * this server but through them. Default none.
   */
  readonly trustProxy: TrustProxy;
  /** `ALLOWED_ORIGINS`, separated by commas: pages of other hosts that may open sockets. Default none. */
  readonly allowedOrigins: ReadonlySet<string>;
  /** `DRAIN_NOTICE_MS`, 0 to 60000: how long `/ready` says 503 before a stop turns anybody away. Default 1000. */
  readonly drainNoticeMs: number;
  /** `STOP_WITHIN_MS`, 0 to 3600000: how long a stop may take, notice included. Default 15000. */
  readonly stopWithinMs: number;
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];
const shortestTokenBytes = 32;
const defaultPort = 5000;
const defaultNoticeMs = 1_000;
const defaultStopMs = 15_000;
const hourMs = 3_600_000;

/**
 * Reads the variables; an empty one is an unset one.
 *
 * @throws InvalidArgumentError naming the variable that is wrong; StartError when `HOST` can be reached from other machines
 *   and `ADMIN_TOKEN` is not a secret of at least 32 bytes.
 */
export function readSettings(environment: Environment): Settings {
  const host = text(environment, 'HOST') ?? '127.0.0.1';
  checkAdminToken(environment, host);
  return {
    host,
    port: wholeNumber(environment, 'PORT', 65_535) ?? defaultPort,
    dataDirectory: text(environment, 'DATA_DIR') ?? '.data',
    logLevel: logLevel(environment),
    trustProxy: trustProxy(environment),
    allowedOrigins: new Set(list(environment, 'ALLOWED_ORIGINS').map(origin)),
    drainNoticeMs: wholeNumber(environment, 'DRAIN_NOTICE_MS', 60_000) ?? defaultNoticeMs,
    stopWithinMs: wholeNumber(environment, 'STOP_WITHIN_MS', hourMs) ?? defaultStopMs,
  };
}

function text(environment: Environment, name: string): string | undefined {
  const value = environment[name]?.trim();
  return value === '' ? undefined : value;
}

function list(environment: Environment, name: string): string[] {
  const parts = text(environment, name)?.split(',') ?? [];
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

function refused(name: string, expected: string, received: string): InvalidArgumentError {
  return new InvalidArgumentError(`Environment variable ${name}`, expected, received);
}

function wholeNumber(environment: Environment, name: string, most: number): number | undefined {
  const value = text(environment, name);
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value) && Number(value) <= most) return Number(value);
  throw refused(name, `a whole number from 0 to ${most}`, value);
}

function logLevel(environment: Environment): string | undefined {
  const value = text(environment, 'LOG_LEVEL')?.toLowerCase();
  if (value === undefined || logLevels.includes(value)) return value;
  throw refused('LOG_LEVEL', `one of ${logLevels.join(', ')}`, value);
}

function trustProxy(environment: Environment): TrustProxy {
  const value = text(environment, 'TRUST_PROXY');
  if (value === undefined) return false;
  if (/^(?:[1-9]|1[0-6])$/.test(value)) {
    const proxies = Number(value);
    return (_address, hop) => hop < proxies;
  }
  const networks = list(environment, 'TRUST_PROXY');
  if (networks.every(isNetwork)) return networks;
  throw refused('TRUST_PROXY', "the number of proxies from 1 to 16, or networks such as '10.0.0.0/8,fd00::/8'", value);
}

function isNetwork(entry: string): boolean {
  const [address = '', bits, ...rest] = entry.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

function origin(entry: string): string {
  const parsed = URL.canParse(entry) ? new URL(entry).origin : 'null';
  if (parsed !== 'null' && parsed === entry.toLowerCase()) return parsed;
  throw refused('ALLOWED_ORIGINS', "origins without a path such as 'https://example.com', separated by commas", entry);
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

function isLoopback(host: string): boolean {
  const version = isIP(host);
  return version === 0 ? host.toLowerCase() === 'localhost' : loopback.check(host, version === 4 ? 'ipv4' : 'ipv6');
}

function checkAdminToken(environment: Environment, host: string): void {
  if (isLoopback(host) || Buffer.byteLength(environment['ADMIN_TOKEN'] ?? '') >= shortestTokenBytes) return;
  const need = `HOST=${host} lets other machines in, which needs ADMIN_TOKEN, a secret of at least ${shortestTokenBytes} bytes`;
  throw new StartError(`${need}. Make one with: openssl rand -hex 32`);
}
