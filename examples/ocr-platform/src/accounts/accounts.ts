/** Somebody who signed up. */
export interface Account {
  readonly user_id: string;
  /** As it was given; case does not tell two accounts apart. */
  readonly email: string;
  readonly role: string;
  /** See `hashPassword`. */
  readonly password_hash: string;
  /** Milliseconds since 1970. */
  readonly created_at: number;
}

/** Where accounts are kept, for all processes together. */
export interface Accounts {
  /** Adds an account; false when its e-mail is taken. Of two at once for one e-mail, one is added. */
  add(account: Account): Promise<boolean>;
  /** The account of an e-mail, in any case of letters; undefined when there is none. */
  find(email: string): Promise<Account | undefined>;
}
