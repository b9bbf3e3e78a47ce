// The first byte of a stored value that is not plain JSON text. The header of codec.ts describes each.

/** Raw bytes. */
export const bytesForm = 0x01;
/** JSON text with tags, and perhaps raw bytes after it. */
export const taggedForm = 0x02;
/** Any other form, compressed. */
export const zstdForm = 0x03;
/** Any other form, encrypted; no version writes it yet. */
export const sealedForm = 0x04;
/** A stored value with the marks of its tags before it; only caches write and read it. */
export const labelledForm = 0x05;

/** First bytes from here on begin JSON text. JSON.stringify never begins its text with a control character. */
export const firstTextByte = 0x20;
