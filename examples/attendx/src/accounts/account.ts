/** What lets somebody in. */
export interface Account {
  readonly user_id: string;
  /** As it was given; case does not tell two accounts apart. */
  readonly email: string;
  /** See `hashPassword`. */
  readonly password_hash: string;
}

/** What users see of themselves. */
export interface Profile {
  readonly user_id: string;
  readonly email: string;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly created_at: number;
}
