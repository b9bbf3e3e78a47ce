import { randomUUID } from 'node:crypto';
import { idempotentRequests } from 'commonhold/fastify';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { FileStore } from '../files/file-store.js';
import type { OcrState } from '../ocr-state.js';
import { requireCaller } from './caller.js';
import { receiveUpload, type Upload } from './upload.js';

interface Received extends Upload {
  readonly userId: string;
}

/**
 * `POST /tasks`. An upload that is sent again with its `Idempotency-Key`, because the answer was lost, is no second task. It
 * is received before the key is looked up: which file it is, its hash tells.
 */
export async function uploadRoute(scope: FastifyInstance, state: OcrState, files: FileStore): Promise<void> {
  const received = new WeakMap<FastifyRequest, Received>();
  const find = (request: FastifyRequest): Received => received.get(request) as Received;

  scope.addHook('preHandler', async (request) => {
    const { userId } = await requireCaller(state, request);
    received.set(request, { userId, ...(await receiveUpload(request, files)) });
  });
  await scope.register(idempotentRequests, {
    state: state.shared,
    name: 'tasks',
    scope: (request) => find(request).userId,
    fingerprint: (request) => `${find(request).file.id} ${find(request).priority}`,
  });
  // What no handler took: the key had its answer, or was refused.
  scope.addHook('onResponse', async (request) => {
    const left = received.get(request);
    if (left !== undefined) await files.discard(left.file);
  });

  scope.post('/tasks', async (request, reply) => {
    const { userId, file, priority } = find(request);
    await files.keep(file);
    received.delete(request);
    const job = { user_id: userId, file_id: file.id };
    const { id } = await state.tasks.add(job, { id: randomUUID(), priority, topic: userId });
    return reply.code(202).send({ task_id: id, status: 'pending' });
  });
}
