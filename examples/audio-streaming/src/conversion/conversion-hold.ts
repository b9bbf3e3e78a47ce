const prefix = 'conversion:';

/** What a container holds while it converts. */
export function conversionHold(id: string): string {
  return `${prefix}${id}`;
}

/** The conversion's id in what a container holds; undefined where that is something else. */
export function conversionOfHold(name: string): string | undefined {
  return name.startsWith(prefix) ? name.slice(prefix.length) : undefined;
}
