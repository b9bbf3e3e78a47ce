import { InvalidArgumentError } from '../errors.js';
import { searchablePrefixLength } from '../keys.js';

/** A pattern for keys. */
export interface KeyGlob {
  /** What every key begins with that fits, or a part of that. */
  readonly prefix: string;
  readonly fits: (key: string) => boolean;
}

/** One character of a key, or any number of them. */
type Step = 'any' | ((character: string) => boolean);

const longestGlob = 1_000;

/**
 * A pattern as Redis understands it: `*` any characters, `?` one, `[a-z]` one of these, `[^a-z]` one of the others, and `\`
 * takes the next character as it is. A test takes time in proportion to both lengths at most, whatever the pattern.
 *
 * @throws InvalidArgumentError for anything but 1 to 1,000 characters of well-formed text.
 */
export function compileGlob(pattern: string): KeyGlob {
  if (typeof pattern !== 'string' || pattern === '' || pattern.length > longestGlob || !pattern.isWellFormed()) {
    throw new InvalidArgumentError('match', `a pattern of 1 to ${longestGlob} characters`, pattern);
  }
  const steps = parse(Array.from(pattern));
  return { prefix: literalPrefix(pattern), fits: (key) => matches(Array.from(key), steps) };
}

function literalPrefix(pattern: string): string {
  const [literal = ''] = /^[^*?[\\]*/.exec(pattern) ?? [];
  return Array.from(literal).slice(0, searchablePrefixLength).join('');
}

function parse(pattern: readonly string[]): Step[] {
  const steps: Step[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] ?? '';
    if (character === '*') steps.push('any');
    else if (character === '?') steps.push(() => true);
    else if (character === '[') {
      const { step, end } = parseSet(pattern, at + 1);
      steps.push(step);
      at = end;
    } else if (character === '\\' && at + 1 < pattern.length) steps.push(equal(pattern[++at] ?? ''));
    else steps.push(equal(character));
  }
  return steps;
}

function equal(wanted: string): Step {
  return (character) => character === wanted;
}

// One that is never closed goes to the end. A character after `\` begins no range, and one before `-` always does, even when
// `]` follows.
function parseSet(pattern: readonly string[], start: number): { readonly step: Step; readonly end: number } {
  const inverted = pattern[start] === '^';
  const ranges: (readonly [from: string, to: string])[] = [];
  let at = inverted ? start + 1 : start;
  for (; at < pattern.length && pattern[at] !== ']'; at++) {
    const isEscaped = pattern[at] === '\\' && at + 1 < pattern.length;
    if (isEscaped) at++;
    const isRange = !isEscaped && pattern[at + 1] === '-' && at + 2 < pattern.length;
    const [from = '', to = from] = isRange ? [pattern[at], pattern[at + 2]] : [pattern[at]];
    if (isRange) at += 2;
    ranges.push(to < from ? [to, from] : [from, to]);
  }
  return {
    step: (character) => ranges.some(([from, to]) => from <= character && character <= to) !== inverted,
    end: at,
  };
}

// Goes back to the last `*` alone, which is enough and keeps the time bounded.
function matches(key: readonly string[], steps: readonly Step[]): boolean {
  let at = 0;
  let step = 0;
  let star = -1;
  let starAt = 0;
  while (at < key.length) {
    const wanted = steps[step];
    if (wanted === 'any') {
      star = step++;
      starAt = at;
    } else if (wanted?.(key[at] ?? '')) {
      at++;
      step++;
    } else if (star >= 0) {
      step = star + 1;
      at = ++starAt;
    } else return false;
  }
  return steps.slice(step).every((rest) => rest === 'any');
}
