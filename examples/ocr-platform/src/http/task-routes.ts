import { problem } from '@commonhold/server';
import type { Job, JobStatus } from 'commonhold';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { FileStore } from '../files/file-store.js';
import type { OcrState, Scan, ScanJob } from '../ocr-state.js';
import { requireCaller } from './caller.js';
import { taskDocument, taskStatus } from './task-document.js';
import { listTasks, readTaskQuery } from './task-list.js';
import { uploadRoute } from './upload-route.js';

interface TaskParams {
  readonly Params: { readonly id: string };
}

/** `POST /tasks`, `GET /tasks`, `GET /tasks/:id` and `DELETE /tasks/:id`. */
export function taskRoutes(http: FastifyInstance, state: OcrState, files: FileStore): void {
  void http.register((scope) => uploadRoute(scope, state, files));

  http.get<{ Querystring: Record<string, unknown> }>('/tasks', async (request) => {
    const { userId } = await requireCaller(state, request);
    return listTasks(state.tasks, userId, readTaskQuery(request.query));
  });

  http.get<TaskParams>('/tasks/:id', async (request) => taskDocument(await ownTask(state, request)));

  http.delete<TaskParams>('/tasks/:id', async (request) => {
    const { id } = await ownTask(state, request);
    const found = await state.tasks.cancel(id);
    if (found === undefined) throw noSuchTask();
    return { task_id: id, status: isOver(found) ? taskStatus(found) : 'cancelled' };
  });
}

/** The caller's task of that id. Somebody else's is answered like one that does not exist. */
async function ownTask(state: OcrState, request: FastifyRequest<TaskParams>): Promise<Job<ScanJob, Scan>> {
  const { userId } = await requireCaller(state, request);
  const job = await state.tasks.get(request.params.id);
  if (job === undefined || job.data.user_id !== userId) throw noSuchTask();
  return job;
}

function isOver(status: JobStatus): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}

function noSuchTask(): Error {
  return problem(404, 'You have no task of this id.');
}
