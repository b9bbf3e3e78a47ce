import { problem } from '@commonhold/server';

const shortestPassword = 8;
/** No one types more, and hashing is not free. */
export const longestPassword = 1_024;
const longestEmail = 254;
const longestName = 100;

/** @throws a 422 unless it is an e-mail address of at most 254 characters. */
export function checkEmail(email: string): string {
  const good = email.length <= longestEmail && email.isWellFormed() && /^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u.test(email);
  if (good) return email;
  throw problem(422, '"email" must be an e-mail address.');
}

/** @throws a 422 unless it has 8 to 1024 characters. */
export function checkPassword(password: string): string {
  if (password.length >= shortestPassword && password.length <= longestPassword) return password;
  throw problem(422, `"password" must have ${shortestPassword} to ${longestPassword} characters.`);
}

/** The name without space around it. @throws a 422 unless it has 1 to 100 characters of plain text. */
export function checkName(name: string): string {
  const trimmed = name.trim();
  const good = trimmed !== '' && trimmed.length <= longestName && trimmed.isWellFormed() && !/\p{Cc}/u.test(trimmed);
  if (good) return trimmed;
  throw problem(422, `"name" must have 1 to ${longestName} characters on one line.`);
}
