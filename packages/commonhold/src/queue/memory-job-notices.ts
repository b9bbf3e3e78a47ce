import { MessageLog } from '../backend/memory/message-log.js';
import type { MemoryStore } from '../backend/memory/memory-store.js';
import { isCommonholdError } from '../errors.js';
import { encodePart, type Keys } from '../keys.js';
import type { MessageFormat } from '../message-frame.js';
import { noticeRules } from './job-notice.js';
import type { QueueAddress } from './queue-port.js';
import { queueNames } from './queue-names.js';

/** Announces the changes of jobs, as lua/notice.lua does. */
export class MemoryJobNotices {
  readonly #store: MemoryStore;
  readonly #keys: Keys;
  readonly #log: MessageLog;

  constructor(store: MemoryStore, keys: Keys) {
    this.#store = store;
    this.#keys = keys;
    this.#log = new MessageLog(store);
  }

  /** Tells those who listen to the queue, and to the job's topic, if the queue is told to. */
  announce(
    queue: QueueAddress,
    kind: string,
    id: string,
    topic: string | undefined,
    status: string,
    progress: number,
  ): void {
    if (!queue.notices) return;
    const { notices } = queueNames(queue, this.#keys);
    const timestamp = this.#store.now();
    const user = topic ?? '';
    const notice = queue.documented
      ? { type: `task_${kind}`, task_id: id, user_id: user, status, progress, timestamp }
      : { type: kind, job: id, topic: user, status, progress, timestamp };
    const format = queue.documented ? 'json' : 'framed';
    this.#tell(notices, JSON.stringify(notice), format);
    if (topic !== undefined) this.#tell(`${notices}:user:${encodePart(topic)}`, JSON.stringify(notice), format);
  }

  // A full store must not keep jobs from ending: nothing is announced then.
  #tell(channel: string, body: string, format: MessageFormat): void {
    try {
      this.#log.append(channel, channel, body, { ...noticeRules, format });
    } catch (error) {
      if (!isCommonholdError(error)) throw error;
    }
  }
}
