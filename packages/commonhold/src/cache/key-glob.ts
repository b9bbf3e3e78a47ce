import { InvalidArgumentError } from '../errors.js';
import { compileGlob } from '../glob.js';
import { searchablePrefixLength } from '../keys.js';

/** A pattern for keys. */
export interface KeyGlob {
  /** What every key begins with that fits, or a part of that. */
  readonly prefix: string;
  readonly fits: (key: string) => boolean;
}

const longestGlob = 1_000;

/**
 * A pattern as {@link compileGlob} understands it.
 *
 * @throws InvalidArgumentError for anything but 1 to 1,000 characters of well-formed text.
 */
export function compileKeyGlob(pattern: string): KeyGlob {
  if (typeof pattern !== 'string' || pattern === '' || pattern.length > longestGlob || !pattern.isWellFormed()) {
    throw new InvalidArgumentError('match', `a pattern of 1 to ${longestGlob} characters`, pattern);
  }
  return { prefix: literalPrefix(pattern), fits: compileGlob(pattern) };
}

function literalPrefix(pattern: string): string {
  const [literal = ''] = /^[^*?[\\]*/.exec(pattern) ?? [];
  return Array.from(literal).slice(0, searchablePrefixLength).join('');
}
