import { type Duration, durationMs } from '../duration.js';
import { InvalidArgumentError } from '../errors.js';
import type { FeatureContext } from '../feature-context.js';
import type { GuardOptions } from '../guard.js';
import { checkDurable, checkOptionNames, type OptionNames } from '../option-names.js';
import { type ResolvedQueueOptions, type JobOptions, writeJobOptions } from './queue-options.js';
import { fieldTexts } from './search-fields.js';
import { isDrawnByQueue, type NewJob } from './queue-port.js';

/** What may be said of one job. */
export interface AddOptions extends JobOptions, GuardOptions {
  /**
   * A name of your own, 1 to 128 letters, digits, `.`, `_` or `-`. While a job of that name is kept, adding it again adds
   * nothing, which makes adding safe to repeat.
   */
  readonly id?: string;
  /** 0 to 10, higher first; within one priority first in, first out. Default 5. */
  readonly priority?: number;
  /**
   * Who gives it, up to 256 bytes without control characters: a tenant, a user. Within one priority the groups take turns,
   * job by job, however many jobs each has; jobs without a group are one more group.
   */
  readonly group?: string;
  /** Not before this has passed; 0 for at once. It then goes before those of its priority that were never started. */
  readonly delay?: Duration | undefined;
  /** Whom the job concerns, up to 256 bytes: its jobs can be listed, and its notices heard. */
  readonly topic?: string;
  /**
   * Whether `add` resolves only when the job outlives the server that took it: it is on a replica, or in the log on disk where
   * the server has no replica. Default false.
   */
  readonly durable?: boolean;
}

const addOptionNames = {
  id: true,
  priority: true,
  group: true,
  delay: true,
  topic: true,
  durable: true,
  guard: true,
  attempts: true,
  backoff: true,
  timeout: true,
  deadline: true,
} satisfies OptionNames<AddOptions>;

/**
 * Checks what was given for a job and makes it ready for the port.
 * @throws InvalidArgumentError naming what is wrong; ValueTooLargeError when the data is too large.
 */
export function createJob(
  name: string,
  data: unknown,
  options: AddOptions,
  { hash, spooled, searchFields, settings }: ResolvedQueueOptions,
  { codec, random }: FeatureContext,
): NewJob {
  checkOptionNames(`queue ${name}, add`, options, addOptionNames);
  const { delay, group, topic, id, durable } = options;
  checkId(id);
  checkDurable(durable, 'job durable');
  if (topic !== undefined) checkTopic(topic);
  if (group !== undefined) checkGroup(group);
  const recorded = hash || spooled || searchFields !== undefined || delay !== undefined || topic !== undefined;
  const delayMs = delay === undefined || delay === 0 ? 0 : durationMs(delay, 'job delay');
  const { deadline } = options;
  if (deadline !== undefined && delayMs >= durationMs(deadline, 'job deadline')) {
    throw new InvalidArgumentError('job deadline', 'a time after its delay', deadline);
  }
  return {
    id: id ?? (recorded ? random.bytes(12).toString('base64url') : undefined),
    priority: checkPriority(options.priority),
    group,
    delayMs,
    topic,
    data: codec.encode(data, `A job of queue ${name}`),
    // A job that waits for the store has less time left when it gets there.
    options: writeJobOptions(options, settings, spooled && settings.deadlineMs !== undefined),
    fields: hash ? plainFields(data) : [],
    searchedBy: searchFields && fieldTexts(searchFields, data, 'job data'),
  };
}

/** @throws InvalidArgumentError for options that the jobs of a schedule cannot have. */
export function checkScheduled(name: string, { id, durable, guard, ...options }: AddOptions): void {
  checkOptionNames(`queue ${name}, schedule`, options, addOptionNames);
  if (id !== undefined) throw new InvalidArgumentError('schedule id', 'none: each tick has its own job', id);
  if (durable !== undefined)
    throw new InvalidArgumentError('schedule durable', 'none: a lost tick is not made up for', durable);
  if (guard !== undefined) throw new InvalidArgumentError('schedule guard', 'none: no tick has a lock', guard);
}

/** Whether a job may be called so. */
export function isJobId(id: unknown): id is string {
  return typeof id === 'string' && /^[A-Za-z0-9._-]{1,128}$/.test(id);
}

/** @throws InvalidArgumentError unless `topic` is well-formed text of 1 to 256 bytes. */
export function checkTopic(topic: unknown): void {
  if (!isShortText(topic)) throw new InvalidArgumentError('job topic', 'well-formed text of 1 to 256 bytes', topic);
}

/** @throws InvalidArgumentError unless `group` is well-formed text of 1 to 256 bytes without control characters. */
export function checkGroup(group: unknown): void {
  if (isShortText(group) && !/\p{Cc}/u.test(group)) return;
  throw new InvalidArgumentError('job group', 'well-formed text of 1 to 256 bytes without control characters', group);
}

function isShortText(text: unknown): text is string {
  return typeof text === 'string' && text !== '' && text.isWellFormed() && Buffer.byteLength(text) <= 256;
}

function checkId(id: unknown): void {
  if (id === undefined || (isJobId(id) && !isDrawnByQueue(id))) return;
  const expected = "1 to 128 letters, digits, '.', '_' or '-', and not an id that a queue drew itself";
  throw new InvalidArgumentError('job id', expected, id);
}

function checkPriority(priority: number = 5): number {
  if (Number.isInteger(priority) && priority >= 0 && priority <= 10) return priority;
  throw new InvalidArgumentError('job priority', 'a whole number from 0 to 10', priority);
}

/** Names in a job's record that are ours. */
const ownFields: ReadonlySet<string> = new Set([
  ...['status', 'priority', 'created_at', 'attempts', 'data', 'options', 'group', 'topic', 'owner', 'deaths'],
  ...['worker_id', 'started_at', 'completed_at', 'progress', 'result', 'error', 'log'],
]);
/** A script takes some thousand arguments in one command. */
const mostFields = 500;

function plainFields(data: unknown): string[] {
  if (typeof data !== 'object' || data === null) return [];
  const plain = Object.entries(data).filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value));
  const own = plain.find(([name]) => ownFields.has(name));
  if (own !== undefined) {
    throw new InvalidArgumentError('job data', `no field called '${own[0]}' in a queue that keeps hashes`, own[1]);
  }
  if (plain.length > mostFields) {
    throw new InvalidArgumentError(
      'job data',
      `at most ${mostFields} fields in a queue that keeps hashes`,
      plain.length,
    );
  }
  return plain.flatMap(([name, value]) => [name, String(value)]);
}
