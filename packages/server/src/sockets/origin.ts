/**
 * Whether a page of `origin` may open a socket here (S19). No Origin means no browser; else it must be the host that was
 * asked, or one of `allowed`. A sandboxed page says `null`, which is nobody.
 *
 * @param origin the header as it came.
 * @param host the `Host` header as it came.
 */
export function originAllowed(
  origin: string | undefined,
  host: string | undefined,
  allowed: ReadonlySet<string>,
): boolean {
  if (origin === undefined) return true;
  if (!URL.canParse(origin)) return false;
  const page = new URL(origin);
  // Anything that an origin cannot hold, such as a path or a user name, is an attempt to look like another.
  if (page.origin === 'null' || page.origin !== origin.toLowerCase()) return false;
  return allowed.has(page.origin) || page.origin === originOf(page.protocol, host);
}

/** The origin that a page of `host` has, written as browsers do: without the port that the scheme implies. */
function originOf(protocol: string, host: string | undefined): string | undefined {
  const text = `${protocol}//${host ?? ''}`;
  return URL.canParse(text) ? new URL(text).origin : undefined;
}
