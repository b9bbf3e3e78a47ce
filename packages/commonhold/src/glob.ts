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

/**
 * One that is never closed goes to the end. A character after `\` begins no range, and one before `-` always does, even when
 * `]` follows.
 */
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
