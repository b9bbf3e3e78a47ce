import type { StandardSchema } from '../schema.js';

/** A value of the schema suite. */
export interface Page {
  readonly title: string;
  readonly views: number;
}

/** Takes a title and gives it trimmed; views are 0 where they are not said, and everything else is left out. */
export const pageSchema: StandardSchema<{ title: string; views?: number }, Page> = {
  '~standard': {
    version: 1,
    vendor: 'commonhold-testing',
    validate: (value) => {
      const { title, views = 0 } = (typeof value === 'object' && value !== null ? value : {}) as Partial<Page>;
      const issues = [
        ...(typeof title === 'string' ? [] : [{ message: `not a title: ${String(title)}`, path: ['title'] }]),
        ...(typeof views === 'number' ? [] : [{ message: `not a number: ${String(views)}`, path: [{ key: 'views' }] }]),
      ];
      return typeof title === 'string' && typeof views === 'number'
        ? { value: { title: title.trim(), views } }
        : { issues };
    },
  },
};

/** Takes a whole number, given as such. */
export const countSchema: StandardSchema<number, number> = {
  '~standard': {
    version: 1,
    vendor: 'commonhold-testing',
    validate: (value) =>
      typeof value === 'number' && Number.isInteger(value)
        ? { value }
        : { issues: [{ message: 'not a whole number' }] },
  },
};

/** Answers later, which is refused. */
export const laterSchema: StandardSchema<unknown, unknown> = {
  '~standard': { version: 1, vendor: 'commonhold-testing', validate: (value) => Promise.resolve({ value }) },
};
