/** The first byte of a stored value that is not plain JSON text. The header of codec.ts describes each. */
export const bytesForm = 0x01;
export const taggedForm = 0x02;
export const zstdForm = 0x03;
export const sealedForm = 0x04;

/** First bytes from here on begin JSON text. JSON.stringify never begins its text with a control character. */
export const firstTextByte = 0x20;
