/**
 * An encoded value, as it travels to a twin. A string stands for its UTF-8 bytes: text stays a string, so that the
 * Redis client writes it without a copy. A Buffer is a form that is not text. Redis always answers with a Buffer, the
 * memory engine with what was stored; the codec reads both alike.
 */
export type Stored = string | Buffer;
