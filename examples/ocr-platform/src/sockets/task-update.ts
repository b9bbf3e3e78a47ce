import type { DocumentedNotice } from 'commonhold';

/** The event `task_update`. */
export interface TaskUpdate {
  /** Give the last one as `last_id` when connecting again, and what was missed follows. */
  readonly id: string;
  readonly type: 'task_progress' | 'task_completed' | 'task_failed';
  readonly task_id: string;
  readonly user_id: string;
  readonly status: DocumentedNotice['status'];
  /** 0 to 1. */
  readonly progress: number;
  /** Milliseconds since 1970, by the store's clock. */
  readonly timestamp: number;
}

/**
 * The event for a notice of the queue. There are three types of events: a cancelled task, which will not complete either,
 * is a `task_failed` whose status says `cancelled`.
 */
export function taskUpdate(notice: DocumentedNotice, id: string): TaskUpdate {
  const { type, task_id, user_id, status, progress, timestamp } = notice;
  return { id, type: type === 'task_cancelled' ? 'task_failed' : type, task_id, user_id, status, progress, timestamp };
}
