/** An `Idempotency-Key` header: a key, none, or something that is no key. */
export type PresentedKey =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'invalid' };

const longestKey = 255;
/** Visible ASCII without what quotes or lists: what clients send that never heard of structured fields. */
const bareKey = /^[!#-+\--[\]-~]+$/;
/** A String of RFC 9651, as draft-ietf-httpapi-idempotency-key-header asks for. */
const quotedKey = /^"((?:[ !#-[\]-~]|\\["\\])+)"$/;

/**
 * Reads the header, which is one key of 1 to 255 characters, in quotes or bare; the same key either way. Node joins headers
 * of one name by commas, so two keys are no key.
 */
export function readIdempotencyKey(header: string | readonly string[] | undefined): PresentedKey {
  if (header === undefined) return { kind: 'absent' };
  if (typeof header !== 'string') return { kind: 'invalid' };
  const text = header.trim();
  const key = bareKey.test(text) ? text : quotedKey.exec(text)?.[1]?.replace(/\\(.)/g, '$1');
  return key === undefined || key.length > longestKey ? { kind: 'invalid' } : { kind: 'key', key };
}
