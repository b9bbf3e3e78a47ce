import { fenceKey, type Guard, keepFenceMs, renewFenceMs } from '../../guard.js';
import type { CommandArgument } from './redis-client.js';
import { loadScript, type Script } from './script.js';

/** A script with what it is given. */
export interface ScriptCall {
  readonly script: Script;
  readonly keys: readonly string[];
  readonly args: readonly CommandArgument[];
}

const fence = loadScript(import.meta.url, 'fence.lua');
const fencedScripts = new WeakMap<Script, Script>();

/**
 * The same call behind a fence: where a later holder has been, it answers `STALEGUARD` in place of what it would have done.
 * `base` is the key of the resource, which the fence lies beside.
 */
export function fenced({ lock, token }: Guard, base: string, { script, keys, args }: ScriptCall): ScriptCall {
  return {
    script: fencedScript(script),
    keys: [...keys, fenceKey(base, lock)],
    args: [...args, `${keepFenceMs}`, `${renewFenceMs}`, token],
  };
}

// The fence takes its key and its arguments away again, so that the script behind it finds what it expects.
function fencedScript(script: Script): Script {
  const known = fencedScripts.get(script);
  if (known !== undefined) return known;
  const made = { name: `fenced ${script.name}`, source: `${fence.source}\n${script.source}` };
  fencedScripts.set(script, made);
  return made;
}
