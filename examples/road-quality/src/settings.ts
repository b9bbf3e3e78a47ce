import { type Environment, InvalidArgumentError } from 'commonhold';

/** What the environment may change. */
export interface Settings {
  /** A PostgreSQL for observations; undefined for the embedded one, or none where Redis is used. */
  readonly databaseUrl: string | undefined;
  /** How presence is laid out in Redis. */
  readonly layout: 'compact' | 'documented';
  /** What the documented keys begin with. */
  readonly keyPrefix: string;
  /** A socket that sends nothing for so long is gone. */
  readonly silenceMs: number;
}

const defaultSilenceSeconds = 300;
/** Signs of life travel every four seconds. */
const leastSilenceSeconds = 10;
const mostSilenceSeconds = 86_400;

/**
 * Reads the settings of the road-quality system. An empty variable is an unset one.
 *
 * @throws {InvalidArgumentError} Naming the variable, what was expected and what came. A URL is not repeated: it may hold
 *   a password.
 */
export function readSettings(environment: Environment): Settings {
  const value = (name: string): string | undefined => environment[name]?.trim() || undefined;
  return {
    databaseUrl: databaseUrl(value('DATABASE_URL')),
    layout: layout(value('ROAD_KEY_LAYOUT')),
    keyPrefix: value('ROAD_KEY_PREFIX') ?? 'road',
    silenceMs: silenceSeconds(value('ROAD_SILENCE_SECONDS')) * 1_000,
  };
}

function databaseUrl(url: string | undefined): string | undefined {
  if (url === undefined) return undefined;
  if (URL.canParse(url) && /^postgres(?:ql)?:$/.test(new URL(url).protocol)) return url;
  throw refused('DATABASE_URL', "a URL such as 'postgres://user:password@localhost:5432/road'", 'something else');
}

function layout(text: string | undefined): Settings['layout'] {
  if (text === undefined || text === 'compact') return 'compact';
  if (text === 'documented') return 'documented';
  throw refused('ROAD_KEY_LAYOUT', "'compact' or 'documented'", text);
}

function silenceSeconds(text: string | undefined): number {
  if (text === undefined) return defaultSilenceSeconds;
  const seconds = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (seconds >= leastSilenceSeconds && seconds <= mostSilenceSeconds) return seconds;
  throw refused('ROAD_SILENCE_SECONDS', `a whole number from ${leastSilenceSeconds} to ${mostSilenceSeconds}`, text);
}

function refused(name: string, expected: string, received: string): InvalidArgumentError {
  return new InvalidArgumentError(`Environment variable ${name}`, expected, received);
}
