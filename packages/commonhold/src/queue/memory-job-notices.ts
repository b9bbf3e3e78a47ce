import { MessageLog } from '../backend/memory/message-log.js';
import type { MemoryStore } from '../backend/memory/memory-store.js';
import { encodePart, type Keys } from '../keys.js';
import { noticeRules } from './job-notice.js';
import type { QueueAddress } from './queue-port.js';
import { queueNames } from './queue-names.js';

/** Announces the changes of jobs, as `announce` in lua/jobs.lua does. */
export class MemoryJobNotices {
  readonly #store: MemoryStore;
  readonly #keys: Keys;
  readonly #log: MessageLog;

  constructor(store: MemoryStore, keys: Keys) {
    this.#store = store;
    this.#keys = keys;
    this.#log = new MessageLog(store);
  }

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
    const body = JSON.stringify(notice);
    const rules = { ...noticeRules, format: queue.documented ? ('json' as const) : ('framed' as const) };
    this.#log.append(notices, notices, body, rules);
    if (topic === undefined) return;
    const channel = `${notices}:user:${encodePart(topic)}`;
    this.#log.append(channel, channel, body, rules);
  }
}
