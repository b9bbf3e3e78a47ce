/** The longest id of a user: as much as a path holds. */
export const longestUserId = 100;

/** Whether `value` can name a user: 1 to 100 characters of well-formed text without control characters. */
export function isUserId(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed() && /^[^\p{Cc}]{1,100}$/u.test(value);
}
