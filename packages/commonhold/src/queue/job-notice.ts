import type { Keys } from '../keys.js';
import { queueNames, splitNotices } from './queue-names.js';
import type { QueueAddress } from './queue-port.js';

/** A change of a job. */
export interface JobNotice {
  readonly type: 'progress' | 'completed' | 'failed' | 'cancelled';
  readonly job: string;
  /** Whom the job concerns; empty when nobody was named. */
  readonly topic: string;
  readonly status: 'processing' | 'completed' | 'failed' | 'cancelled';
  /** 0 to 1. */
  readonly progress: number;
  /** Milliseconds since 1970, by the store's clock. */
  readonly timestamp: number;
}

/** How a notice looks on the channels of a queue with documented names. */
export interface DocumentedNotice {
  readonly type: `task_${JobNotice['type']}`;
  readonly task_id: string;
  readonly user_id: string;
  readonly status: JobNotice['status'];
  readonly progress: number;
  readonly timestamp: number;
}

/** How long and how many notices can be replayed, as in lua/notice.lua. */
export const noticeRules: { readonly keepMs: number; readonly keepCount: number } = {
  keepMs: 3_600_000,
  keepCount: 1_000,
};

/** The channel on which `announce` in lua/notice.lua speaks: name and options. */
export function noticeChannel(
  queue: QueueAddress,
  keys: Keys,
  topic: string | undefined,
): { readonly name: string; readonly prefix: string; readonly format: 'framed' | 'json' } {
  const { notices } = queueNames(queue, keys);
  const format = queue.documented ? 'json' : 'framed';
  return topic === undefined
    ? { ...splitNotices(notices), format }
    : { name: topic, prefix: `${notices}:user`, format };
}
