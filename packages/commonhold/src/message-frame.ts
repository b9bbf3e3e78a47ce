import type { Stored } from './codec/stored.js';

/**
 * How a message looks to those who subscribe to its pub/sub channel.
 *
 * `framed`: `<previous id> <id>` and a line feed, then the body, which may be any bytes.
 * `json`: the body, a JSON object, with `"id"` and `"previous"` as its first two members, so that any program can read it.
 */
export type MessageFormat = 'framed' | 'json';

/** A message with its place in the stream. */
export interface StoredMessage {
  readonly id: string;
  /** The id of the message before it; `0-0` when the stream began with this one. */
  readonly previous: string;
  readonly body: Stored;
}

/** What is kept of a stream of messages, and how they are published. */
export interface MessageRules {
  /** A message older than this is removed by the next one; the stream ends when nothing was published for so long. */
  readonly keepMs: number;
  /** The newest so many messages are kept; at least 1. */
  readonly keepCount: number;
  readonly format: MessageFormat;
}

/** The text to publish. In format `json` the body is the text of a JSON object, without space after its first brace. */
export function frameMessage(format: MessageFormat, { id, previous, body }: StoredMessage): Stored {
  if (format === 'framed') return join(`${previous} ${id}\n`, body);
  const head = `{"id":"${id}","previous":"${previous}"`;
  const text = body.toString();
  return text === '{}' ? `${head}}` : `${head},${text.slice(1)}`;
}

/** What {@link frameMessage} was given; undefined for text that it did not make. The body may share its bytes. */
export function parseFrame(format: MessageFormat, published: Stored): StoredMessage | undefined {
  return format === 'framed' ? parseFramed(published) : parseJson(published);
}

const framedHead = /^(\d{1,15}-\d{1,15}) (\d{1,15}-\d{1,15})\n/;
const jsonHead = /^\{"id":"(\d{1,15}-\d{1,15})","previous":"(\d{1,15}-\d{1,15})"(,|\}$)/;
/** More than the longest head. */
const headBytes = 128;

function parseFramed(published: Stored): StoredMessage | undefined {
  const [head, previous, id] = framedHead.exec(headOf(published)) ?? [];
  if (head === undefined || previous === undefined || id === undefined) return undefined;
  const body = typeof published === 'string' ? published.slice(head.length) : published.subarray(head.length);
  return { id, previous, body };
}

function parseJson(published: Stored): StoredMessage | undefined {
  const [head, id, previous, end] = jsonHead.exec(headOf(published)) ?? [];
  if (head === undefined || id === undefined || previous === undefined) return undefined;
  const body = end === ',' ? `{${published.toString().slice(head.length)}` : '{}';
  return { id, previous, body };
}

function headOf(published: Stored): string {
  return typeof published === 'string' ? published.slice(0, headBytes) : published.toString('latin1', 0, headBytes);
}

function join(head: string, body: Stored): Stored {
  return typeof body === 'string' ? head + body : Buffer.concat([Buffer.from(head), body]);
}
