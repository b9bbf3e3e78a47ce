/** A piece of a recording that becomes one segment. */
export interface Piece {
  /** Its first byte in the file. */
  readonly start: number;
  /** The byte after its last. */
  readonly end: number;
}
