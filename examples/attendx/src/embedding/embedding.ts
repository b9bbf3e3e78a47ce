/** Turns an image into a vector: images of one person should have similar ones. Any length above 0, the same for all. */
export type Embed = (image: Buffer) => Promise<Float32Array>;

/** How an embedding is made, and from when on two of them mean the same person. */
export interface Embedding {
  /**
   * Names the function and its version. Embeddings of another name are neither read from the cache nor compared, so that a
   * better function can be put in its place.
   */
  readonly name: string;
  /** @throws {ImageError} For an image that cannot be read. */
  readonly embed: Embed;
  /** The least cosine similarity of two images of one person, -1 to 1. */
  readonly threshold: number;
}

/**
 * Cosine similarity: 1 for the same direction, 0 for unrelated ones, -1 for opposite ones. Also 0 when the lengths differ
 * or one of them is all zero.
 */
export function cosineSimilarity(left: Float32Array, right: Float32Array): number {
  if (left.length !== right.length) return 0;
  let product = 0;
  let leftSquares = 0;
  let rightSquares = 0;
  // Attendance spends its time here: iterating takes ten times as long as counting.
  for (let index = 0; index < left.length; index++) {
    const one = left[index] ?? 0;
    const other = right[index] ?? 0;
    product += one * other;
    leftSquares += one * one;
    rightSquares += other * other;
  }
  const scale = Math.sqrt(leftSquares * rightSquares);
  return scale === 0 ? 0 : Math.max(-1, Math.min(1, product / scale));
}
