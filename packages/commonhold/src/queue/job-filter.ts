import { type Duration, durationMs } from '../duration.js';
import { InvalidArgumentError } from '../errors.js';
import { checkOptionNames, type OptionNames } from '../option-names.js';
import { checkGroup, checkTopic } from './new-job.js';
import type { JobFilter, JobStatus } from './queue-port.js';
import { fieldTexts } from './search-fields.js';

/** From a moment to a moment, both included: dates, or milliseconds since 1970. */
export interface TimeRange {
  readonly from?: Date | number;
  readonly to?: Date | number;
}

/** Which of many jobs are meant: those to which all that is given applies. */
export interface ManyOptions {
  /** Only those that concern it. Default: all. */
  readonly topic?: string;
  /** Only those of this group. */
  readonly group?: string;
  /** Only those that the process of this name ran last. */
  readonly workerName?: string;
  /** Only those that were added then. */
  readonly created?: TimeRange;
  /** Only those that ended then. */
  readonly ended?: TimeRange;
  /** Only those that ended at least so long ago. Default: all. */
  readonly olderThan?: Duration;
  /** Only those whose data has these texts, numbers or booleans; of fields that the queue declares. */
  readonly fields?: Readonly<Record<string, string | number | boolean>>;
}

/** Which jobs are searched for, and which page of them. */
export interface SearchOptions extends Omit<ManyOptions, 'olderThan'> {
  readonly status?: JobStatus;
  /** From the page before. */
  readonly cursor?: string;
  /** 1 to 200. Default 50. */
  readonly limit?: number;
}

const filterNames = {
  status: true,
  topic: true,
  group: true,
  workerName: true,
  created: true,
  ended: true,
  olderThan: true,
  fields: true,
} satisfies OptionNames<ManyOptions & { readonly status?: JobStatus }>;
const rangeNames = { from: true, to: true } satisfies OptionNames<TimeRange>;
const statuses: readonly unknown[] = ['pending', 'delayed', 'processing', 'completed', 'failed', 'cancelled'];
/** The last moment that a date can name. */
const lastMs = 8_640_000_000_000_000;

/** @throws InvalidArgumentError naming what is wrong, or a field that is not among `declared`. */
export function checkFilter(
  where: string,
  meant: ManyOptions & { readonly status?: JobStatus },
  declared: readonly string[],
): JobFilter {
  checkOptionNames(where, meant, filterNames);
  const { status, topic, group, workerName, created = {}, ended = {}, olderThan, fields = {} } = meant;
  if (status !== undefined && !statuses.includes(status)) {
    throw new InvalidArgumentError(`${where} status`, statuses.join(', '), status);
  }
  if (topic !== undefined) checkTopic(topic);
  if (group !== undefined) checkGroup(group);
  if (workerName !== undefined && (typeof workerName !== 'string' || workerName === '')) {
    throw new InvalidArgumentError(`${where} workerName`, 'the name of a process', workerName);
  }
  const unknown = Object.keys(fields).find((name) => !declared.includes(name));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(
      `${where} fields`,
      `fields that the queue declares: ${declared.join(', ')}`,
      unknown,
    );
  }
  checkOptionNames(`${where} created`, created, rangeNames);
  checkOptionNames(`${where} ended`, ended, rangeNames);
  return {
    status,
    topic,
    group,
    workerName,
    createdFromMs: momentMs(created.from, `${where} created.from`),
    createdToMs: momentMs(created.to, `${where} created.to`),
    endedFromMs: momentMs(ended.from, `${where} ended.from`),
    endedToMs: momentMs(ended.to, `${where} ended.to`),
    olderThanMs: olderThan === undefined ? 0 : durationMs(olderThan, `${where} olderThan`),
    fields: fieldTexts(Object.keys(fields), fields, where),
  };
}

function momentMs(moment: Date | number | undefined, where: string): number | undefined {
  if (moment === undefined) return undefined;
  const ms = moment instanceof Date ? moment.getTime() : moment;
  if (typeof ms === 'number' && ms >= 0 && ms <= lastMs) return Math.floor(ms);
  throw new InvalidArgumentError(where, 'a date, or milliseconds since 1970', moment);
}
