import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hashTag } from '../../keys.js';

/** A Lua script: one atomic step. A constant; what users give is only ever an argument. */
export interface Script {
  /** `<feature>/<file>.lua`. */
  readonly name: string;
  readonly source: string;
}

const include = /^-- include (\S+)\n/gm;

/**
 * Reads `lua/<file>` beside the module whose `import.meta.url` is given. A line `-- include <path>` is replaced by that
 * file, named from the script: a function that several scripts need.
 */
export function loadScript(moduleUrl: string, file: string): Script {
  const url = new URL(`./lua/${file}`, moduleUrl);
  const name = url.pathname
    .split('/')
    .slice(-3)
    .filter((part) => part !== 'lua')
    .join('/');
  return { name, source: read(url) };
}

function read(url: URL): string {
  return readFileSync(url, 'utf8').replace(include, (_, path: string) => read(new URL(path, url)));
}

/** Where scripts take the time from (K4): a first line that sets `now`, and perhaps an argument that it consumes. */
export interface ScriptTime {
  readonly prelude: string;
  readonly argument?: () => string;
  /** What is sent in place of a script's source: how tests plant a bug. */
  readonly rewrite?: (source: string) => string;
}

/** `now` is the server's clock in milliseconds. */
export const serverTime: ScriptTime = {
  prelude: `local time = redis.call('TIME') local now = time[1] * 1000 + math.floor(time[2] / 1000)\n`,
};

/**
 * A first line for a cluster: has a script do nothing while its slot moves. Keys that a script forms of its first key may
 * then lie on two nodes, where it would stop in the middle or not see them all. Of two absent keys the server says so
 * itself, on both nodes; a script whose key has no hash tag forms no others.
 */
export const slotGuard: string =
  "if string.find(KEYS[1], '^[^{]*{[^}]+}') then " +
  "local moving = redis.pcall('EXISTS', KEYS[1] .. '\\1', KEYS[1] .. '\\2') " +
  "if type(moving) == 'table' and string.find(moving.err, 'non local', 1, true) then " +
  "return redis.error_reply('TRYAGAIN the slot is moving') end end\n";

/** A script as it is sent: text and hash with the time prelude, which only scripts that read `now` pay for. */
export class PreparedScript {
  readonly text: string;
  readonly hash: string;
  readonly #argument: (() => string) | undefined;

  /** `guard` is put before everything else. */
  constructor(script: Script, time: ScriptTime, guard: string = '') {
    const source = time.rewrite?.(script.source) ?? script.source;
    const timed = /\bnow\b/.test(source.replace(/--.*/g, ''));
    this.text = guard + (timed ? time.prelude : '') + source;
    this.hash = createHash('sha1').update(this.text).digest('hex');
    this.#argument = timed ? time.argument : undefined;
  }

  /** EVALSHA with its keys and arguments. */
  words<Argument>(keys: readonly string[], args: readonly Argument[]): (string | Argument)[] {
    const words = ['EVALSHA', this.hash, String(keys.length), ...keys, ...args];
    if (this.#argument !== undefined) words.push(this.#argument());
    return words;
  }
}

/** Whether one node of a cluster can see all of `keys`. */
export function shareSlot(keys: readonly string[]): boolean {
  const [first, ...rest] = keys;
  return first === undefined || rest.every((key) => hashTag(key) === hashTag(first));
}
