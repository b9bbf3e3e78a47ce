import { createHash } from 'node:crypto';
import { InvalidArgumentError } from './errors.js';

/**
 * Every Redis key, pub/sub channel and memory key is built here, as `<namespace>:<feature>:{<tag>}<rest>`.
 *
 * The tag is the smallest thing one script must see; Redis Cluster keeps keys of one tag on one node. Parts that users
 * choose are percent-encoded, so that no two inputs share a key and none acts as a glob. A part of more than 512 bytes
 * is cut to its first 64 characters followed by a hash of the whole.
 */
export interface Keys {
  readonly namespace: string;
  /** `<namespace>:<feature>:{<tag parts joined by ':'>}`. */
  tagged(feature: string, ...tagParts: readonly string[]): string;
  /**
   * `<prefix>:<parts joined by ':'>`, for key names that other programs rely on. The prefix is taken as it is and holds
   * the namespace; braces in it act as a hash tag.
   */
  documented(prefix: string, ...parts: readonly string[]): string;
  /** What every `tagged(feature, part, x)` begins with whose `x` begins with `prefix`. */
  taggedPrefix(feature: string, part: string, prefix: string): string;
  /** The pub/sub channel on which the process `owner` is woken: `wakePrefix` and the encoded owner. */
  wake(owner: string): string;
  readonly wakePrefix: string;
  /**
   * Keys of their own for a tenant, whose namespace is `<namespace>:<tenant>`, encoded. No two tenants share a key, nor does
   * one with whom it belongs to. Waking is that of the process. @throws InvalidArgumentError for a bad name.
   */
  within(tenant: string): Keys;
}

/** Characters of a part that stay readable when it is too long, and so the longest prefix that can be searched for. */
export const searchablePrefixLength = 64;
const longestPartBytes = 512;
const longestTenantBytes = 64;
// Structure of our keys, hash tags, globs and control characters.
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const special = /[%:{}*?[\]\\^\u0000-\u001f\u007f]/;
// oxlint-disable-next-line no-control-regex -- as above
const everySpecial = /[%:{}*?[\]\\^\u0000-\u001f\u007f]/g;
const namespacePattern = /^[A-Za-z0-9_.-]{1,64}$/;

/** @throws InvalidArgumentError when `namespace` is not 1 to 64 letters, digits, `_`, `.` or `-`. */
export function createKeys(namespace: string): Keys {
  if (typeof namespace !== 'string' || !namespacePattern.test(namespace)) {
    throw new InvalidArgumentError('namespace', "1 to 64 letters, digits, '_', '.' or '-'", namespace);
  }
  return keysOf(namespace, `${namespace}:wake:`, undefined);
}

/** @param ownPrefix what documented prefixes must begin with; undefined where they are the application's own affair. */
function keysOf(namespace: string, wakePrefix: string, ownPrefix: string | undefined): Keys {
  return {
    namespace,
    tagged: (feature, ...tagParts) => {
      // Built for nearly every call, so without an array in between.
      let tag = '';
      for (const part of tagParts) tag = tag === '' ? encodePart(part) : `${tag}:${encodePart(part)}`;
      return `${namespace}:${feature}:{${tag}}`;
    },
    documented: (prefix, ...parts) => [checkPrefix(prefix, ownPrefix), ...parts.map(encodePart)].join(':'),
    taggedPrefix: (feature, part, prefix) => `${namespace}:${feature}:{${encodePart(part)}:${encodePrefix(prefix)}`,
    wake: (owner) => `${wakePrefix}${encodePart(owner)}`,
    wakePrefix,
    within: (tenant) => {
      const own = `${namespace}:${encodeTenant(tenant)}`;
      return keysOf(own, wakePrefix, `${own}:`);
    },
  };
}

/**
 * One user-chosen part of a key, encoded. Different parts never give the same text.
 * @throws InvalidArgumentError for an empty part, or text that is not well-formed Unicode.
 */
export function encodePart(part: string): string {
  if (typeof part !== 'string' || part === '') throw new InvalidArgumentError('key', 'a non-empty string', part);
  if (!part.isWellFormed()) throw new InvalidArgumentError('key', 'well-formed Unicode', 'a lone surrogate');
  return isLong(part) ? shorten(part) : encode(part);
}

/** What {@link encodePart} was given; undefined for a part of which only the beginning and a hash are left. */
export function decodePart(encoded: string): string | undefined {
  if (encoded.includes('%~')) return undefined;
  return encoded.replace(/%([0-9A-F]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

function checkPrefix(prefix: string, ownPrefix: string = ''): string {
  if (typeof prefix !== 'string' || !/^[!-~]{1,256}$/.test(prefix)) {
    throw new InvalidArgumentError('prefix', '1 to 256 visible ASCII characters', prefix);
  }
  if (prefix.startsWith(ownPrefix)) return prefix;
  // Taken as they are, prefixes would let one tenant reach the keys of another.
  throw new InvalidArgumentError('prefix', `${ownPrefix}… for a tenant`, prefix);
}

// Visible ASCII, since names of channels and prefixes are made of it.
function encodeTenant(tenant: string): string {
  const fine = typeof tenant === 'string' && tenant !== '' && tenant.isWellFormed();
  if (!fine || Buffer.byteLength(tenant) > longestTenantBytes) {
    throw new InvalidArgumentError('namespace', `1 to ${longestTenantBytes} bytes of well-formed text`, tenant);
  }
  return encodeURIComponent(tenant).replace(/[!'()*~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

// The encoded text that every key part beginning with `prefix` begins with.
function encodePrefix(prefix: string): string {
  if (typeof prefix !== 'string' || !prefix.isWellFormed() || characters(prefix).length > searchablePrefixLength) {
    throw new InvalidArgumentError(
      'prefix',
      `well-formed text of at most ${searchablePrefixLength} characters`,
      prefix,
    );
  }
  return encode(prefix);
}

/** The part of a key that decides its slot: what stands in its first braces, else all of it. */
export function hashTag(key: string): string {
  const open = key.indexOf('{');
  const close = open < 0 ? -1 : key.indexOf('}', open + 1);
  return close > open + 1 ? key.slice(open + 1, close) : key;
}

function encode(part: string): string {
  if (!special.test(part)) return part;
  return part.replace(everySpecial, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}

function isLong(part: string): boolean {
  return part.length > longestPartBytes / 3 && Buffer.byteLength(part) > longestPartBytes;
}

// '%' is always followed by two hexadecimal digits in an encoded part, so '%~' cannot come from a short one.
function shorten(part: string): string {
  const head = characters(part).slice(0, searchablePrefixLength).join('');
  return `${encode(head)}%~${createHash('sha256').update(part).digest('base64url')}`;
}

function characters(text: string): string[] {
  return Array.from(text.length > 4 * searchablePrefixLength ? text.slice(0, 4 * searchablePrefixLength) : text);
}
