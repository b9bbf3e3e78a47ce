/** What clients may be told of a rule. */
export interface RateLimitPolicy {
  /** The limiter's name; with several rules followed by the window, as in `login/1h`. */
  readonly name: string;
  /** Units admitted in one window; of a bucket, how many it holds. */
  readonly limit: number;
  /** Of a bucket, the time in which it fills. */
  readonly windowMs: number;
}
