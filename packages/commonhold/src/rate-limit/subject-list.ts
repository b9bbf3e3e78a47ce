import { InvalidArgumentError } from '../errors.js';
import { encodePart } from '../keys.js';

/** Subjects by name, copied when the limiter is made; or a question that is asked for each hit. */
export type SubjectList = Iterable<string> | ((subject: string) => boolean);

/** Whether a list names a subject. An absent list names nobody. @throws InvalidArgumentError naming `where`. */
export function subjectTest(list: SubjectList | undefined, where: string): (subject: string) => boolean {
  if (list === undefined) return () => false;
  if (typeof list === 'function') return (subject) => yesOrNo(list(subject), where);
  if (typeof list !== 'object' || list === null || !(Symbol.iterator in list)) {
    throw new InvalidArgumentError(where, 'subjects, such as an array of them, or a function', list);
  }
  const subjects = new Set(list);
  for (const subject of subjects) encodePart(subject);
  return (subject) => subjects.has(subject);
}

/** What the lists say of a subject: admitted, refused, or nothing. @throws InvalidArgumentError for what is no subject. */
export function holds(
  subject: string,
  allow: (subject: string) => boolean,
  deny: (subject: string) => boolean,
): boolean | undefined {
  if (typeof subject !== 'string') encodePart(subject);
  if (deny(subject)) return false;
  return allow(subject) ? true : undefined;
}

// A promise would name everybody.
function yesOrNo(answer: unknown, where: string): boolean {
  if (typeof answer === 'boolean') return answer;
  throw new InvalidArgumentError(where, 'a function that answers true or false', answer);
}
