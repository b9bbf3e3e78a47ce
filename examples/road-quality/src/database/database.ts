/** Something that runs SQL. */
export interface Sql {
  /** Runs one statement, with `$1`, `$2` … for `values`, and resolves with its rows. */
  query<Row = unknown>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

/** A PostgreSQL, wherever it runs. A call rejects as the driver does. */
export interface Engine extends Sql {
  /** Runs `work` in one transaction on one connection; what it rejects with undoes all. */
  transaction<Result>(work: (sql: Sql) => Promise<Result>): Promise<Result>;
  /** False while it waits for its first statement to start. */
  readonly isStarted: boolean;
  /** Resolves where a statement could be run, and rejects where it is known that none can; starts nothing. */
  claim(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Where observations are stored: its tables are there before the first statement runs. While it is away, calls reject with
 * the problem 503.
 */
export interface Database extends Sql {
  /** Writes a row and reads it back. A database that waits to be started is not started for it. */
  probe(): Promise<void>;
  /** As {@link probe}, and only reads. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
