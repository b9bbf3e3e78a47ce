import type { AwayTwin } from '../backend/resilient/resilient-port.js';
import type { JobSpool } from './away-spool.js';
import type { AddedJob, JobBatch, QueueAddress, QueuePort } from './queue-port.js';

/**
 * A queue without its store: jobs are written to the disk of this process, from where they are added when the store is back.
 * They have ids by then, so that adding them again, where the store has them after all, adds nothing.
 */
export class AwayQueue implements AwayTwin<QueuePort> {
  readonly answers: AwayTwin<QueuePort>['answers'];

  /** @param namespace of the keys of the queues. */
  constructor(namespace: string, spool: JobSpool) {
    this.answers = {
      add: (queue, batch) => (maySpool(batch) ? addTo(spool, namespace, queue, batch) : undefined),
    };
  }
}

// Whether a guard holds can be said by the store alone, and only now.
function maySpool({ spoolable, guard, jobs }: JobBatch): boolean {
  return spoolable === true && guard === undefined && jobs.every(({ id }) => id !== undefined);
}

async function addTo(spool: JobSpool, namespace: string, queue: QueueAddress, batch: JobBatch): Promise<AddedJob[]> {
  await spool.add(namespace, queue, batch);
  return batch.jobs.map(({ id }) => ({ id: id as string, duplicate: false, accepted: 'spooled' }));
}
