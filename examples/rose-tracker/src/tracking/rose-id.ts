/** What a tracker calls one rose. A number and its decimal text are the same rose. */
export type RoseId = string | number;

/** The ids without repetitions, each as it came first. */
export function distinctRoses(roses: Iterable<RoseId>): RoseId[] {
  const byName = new Map<string, RoseId>();
  for (const rose of roses) if (!byName.has(String(rose))) byName.set(String(rose), rose);
  return [...byName.values()];
}

/** Those of `roses` that are among `known`. */
export function rosesAmong(roses: readonly RoseId[], known: readonly RoseId[]): RoseId[] {
  const names = new Set(known.map(String));
  return roses.filter((rose) => names.has(String(rose)));
}

/** Those of `roses` that are not among `known`. */
export function rosesBeyond(roses: readonly RoseId[], known: readonly RoseId[]): RoseId[] {
  const names = new Set(known.map(String));
  return roses.filter((rose) => !names.has(String(rose)));
}
