import type { Job, JobStatus } from 'commonhold';
import type { Scan, ScanJob } from '../ocr-state.js';

/** A task's status, as clients see it. */
export type TaskStatus = Exclude<JobStatus, 'delayed'>;

/** A task, as clients see it. Absent parts are null; times are milliseconds since 1970. */
export interface TaskDocument {
  readonly task_id: string;
  readonly user_id: string;
  readonly file_id: string;
  readonly status: TaskStatus;
  readonly priority: number;
  readonly created_at: number;
  readonly started_at: number | null;
  readonly completed_at: number | null;
  readonly attempts: number;
  readonly worker_id: string | null;
  /** 0 to 1. */
  readonly progress: number | null;
  readonly result: Scan | null;
  readonly error: string | null;
}

/** The document of a job. */
export function taskDocument(job: Job<ScanJob, Scan>): TaskDocument {
  return {
    task_id: job.id,
    user_id: job.data.user_id,
    file_id: job.data.file_id,
    status: taskStatus(job.status),
    priority: job.priority,
    created_at: job.createdAtMs,
    started_at: job.startedAtMs ?? null,
    completed_at: job.completedAtMs ?? null,
    attempts: job.attempts,
    worker_id: job.workerName ?? null,
    progress: job.status === 'completed' ? 1 : (job.progress ?? null),
    result: job.result === undefined ? null : { text: job.result.text, confidence: job.result.confidence },
    error: job.error === undefined ? null : job.error.replace(/^NonRetryableError: /, ''),
  };
}

/** A job that waits for its next attempt is pending to its owner. */
export function taskStatus(status: JobStatus): TaskStatus {
  return status === 'delayed' ? 'pending' : status;
}
