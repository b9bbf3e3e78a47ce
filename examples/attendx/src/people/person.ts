/** Somebody who was enrolled. */
export interface Person {
  readonly person_id: string;
  readonly name: string;
  /** SHA-256 of the image, in hexadecimal. */
  readonly embedding_id: string;
  /** Which function made the embedding; only those of one function are compared. */
  readonly embedding_name: string;
  readonly embedding: Float32Array;
  /** Milliseconds since 1970. */
  readonly enrolled_at: number;
}
