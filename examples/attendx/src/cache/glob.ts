/**
 * Says whether a key fits a pattern as Redis understands it: `*` any characters, `?` one, `[a-z]` one of these, `[^a-z]` one
 * of the others, and `\` takes the next character as it is. Compiled once; each test takes time in proportion to both
 * lengths at most, whatever the pattern.
 */
export function compileGlob(pattern: string): (key: string) => boolean {
  const steps = parse(Array.from(pattern));
  return (key) => matches(Array.from(key), steps);
}

/** One character of a key, or any number of them. */
type Step = 'any' | ((character: string) => boolean);

function parse(pattern: readonly string[]): Step[] {
  const steps: Step[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] ?? '';
    if (character === '*') steps.push('any');
    else if (character === '?') steps.push(() => true);
    else if (character === '[') {
      const end = endOfSet(pattern, at);
      steps.push(oneOf(pattern.slice(at + 1, end)));
      at = end;
    } else if (character === '\\' && at + 1 < pattern.length) steps.push(equal(pattern[++at] ?? ''));
    else steps.push(equal(character));
  }
  return steps;
}

function equal(wanted: string): Step {
  return (character) => character === wanted;
}

/** A set that is never closed goes to the end. */
function endOfSet(pattern: readonly string[], start: number): number {
  for (let at = start + 1; at < pattern.length; at++) {
    if (pattern[at] === '\\') at++;
    else if (pattern[at] === ']') return at;
  }
  return pattern.length;
}

function oneOf(set: readonly string[]): Step {
  const inverted = set[0] === '^';
  const ranges: [from: string, to: string][] = [];
  for (let at = inverted ? 1 : 0; at < set.length; at++) {
    if (set[at] === '\\' && at + 1 < set.length) at++;
    const from = set[at] ?? '';
    const to = set[at + 1] === '-' ? set[at + 2] : undefined;
    if (to !== undefined) at += 2;
    ranges.push(to !== undefined && to < from ? [to, from] : [from, to ?? from]);
  }
  return (character) => ranges.some(([from, to]) => from <= character && character <= to) !== inverted;
}

/** Goes back to the last `*` alone, which is enough and keeps the time bounded. */
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
