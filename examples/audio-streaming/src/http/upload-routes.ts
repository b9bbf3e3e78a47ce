import type { Readable } from 'node:stream';
import { problem } from '@commonhold/server';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type ByteRange, covers } from '../files/byte-ranges.js';
import { ChunkConflictError, ChunkLengthError } from '../files/chunk-store.js';
import { hasCode } from '../has-code.js';
import { isWhole, type UploadData, type UploadSession } from '../state/upload.js';
import type { Owned } from '../state-manager.js';
import { finishUpload, type UploadPlace } from '../uploads/finish-upload.js';
import { type ChunkDocument, chunkDocument, uploadDocument } from '../uploads/upload-document.js';
import { readContentRange } from './content-range.js';

/** Every chunk is a file until the last has come. */
const mostChunks = 2_000;
const longestFilename = 255;
const retrySoon = { headers: { 'Retry-After': '1' } } as const;

const uploadSchema = {
  body: {
    type: 'object',
    required: ['filename', 'size'],
    properties: {
      filename: { type: 'string', minLength: 1, maxLength: longestFilename },
      size: { type: 'integer', minimum: 1 },
    },
  },
} as const;

interface UploadParams {
  readonly Params: { readonly id: string };
}

/** `POST /uploads`, `PUT /uploads/:id` and `GET /uploads/:id`. */
export async function uploadRoutes(http: FastifyInstance, place: UploadPlace, mostBytes: number): Promise<void> {
  const { uploadState, uploadStats } = place.state;

  http.post<{ Body: UploadData }>('/uploads', { schema: uploadSchema }, async ({ body }, reply) => {
    const filename = checkFilename(body.filename);
    if (body.size > mostBytes) throw problem(413, `A recording has at most ${mostBytes} bytes here.`);
    const session = await uploadState.createSession({ filename, size: body.size });
    await uploadStats.record(session);
    return reply.code(201).send({ upload_id: session.upload_id });
  });

  http.get<UploadParams>('/uploads/:id', async ({ params }) => uploadDocument(await findUpload(place, params.id)));

  await http.register(async (raw) => {
    // Whatever its media type is said to be, a chunk is bytes.
    raw.removeAllContentTypeParsers();
    raw.addContentTypeParser('*', (_request, _payload, done) => done(null));
    raw.put<UploadParams>('/uploads/:id', async (request) => {
      try {
        return await receiveChunk(place, request);
      } catch (error) {
        // What is still on its way would otherwise keep the connection from its next request.
        request.raw.resume();
        throw asProblem(error, request);
      }
    });
  });
}

async function receiveChunk(place: UploadPlace, request: FastifyRequest<UploadParams>): Promise<ChunkDocument> {
  const { state } = place;
  const session = await findUpload(place, request.params.id);
  const { upload_id: id } = session;
  const range = readContentRange(request.headers['content-range'], session.size);
  checkLength(request, range);
  checkState(session, range);
  if (session.status === 'completed') {
    request.raw.resume();
    return chunkDocument(session);
  }
  const written = (await keepChunk(place, id, range, request.raw))
    ? await state.uploadState.addChunk(id, range)
    : await findUpload(place, id);
  if (written === undefined) throw noSuchUpload();
  await state.uploadStats.record(written);
  const ended = isWhole(written) ? await finishUpload(place, written) : written;
  if (ended === undefined) throw noSuchUpload();
  if (ended.status === 'failed') throw problem(415, ended.error ?? 'The file cannot be used.');
  return chunkDocument(ended);
}

/** False where this range came before, and the upload is being finished: the place for chunks is gone then. */
async function keepChunk(place: UploadPlace, id: string, range: ByteRange, bytes: Readable): Promise<boolean> {
  try {
    await place.chunks.receive(id, range, bytes);
    return true;
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    const { received } = await findUpload(place, id);
    if (!covers(received, range)) throw error;
    bytes.resume();
    return false;
  }
}

async function findUpload({ state }: UploadPlace, id: string): Promise<UploadSession & Owned> {
  const session = /^[0-9a-f-]{36}$/.test(id) ? await state.uploadState.getSession(id) : undefined;
  if (session === undefined) throw noSuchUpload();
  return session;
}

function checkLength({ headers }: FastifyRequest, [first, last]: ByteRange): void {
  const length = headers['content-length'];
  const expected = last - first + 1;
  if (length === undefined || Number(length) === expected) return;
  throw problem(400, `The Content-Range has ${expected} bytes; the body has ${length}.`);
}

function checkState({ status, error, received, chunks_written }: UploadSession, range: ByteRange): void {
  if (status === 'failed') throw problem(409, `This upload has failed: ${error ?? ''} Begin another.`);
  if (status === 'completed' || covers(received, range) || chunks_written < mostChunks) return;
  throw problem(422, `An upload has at most ${mostChunks} chunks. Begin another, with larger ones.`);
}

function checkFilename(filename: string): string {
  if (filename.isWellFormed() && !/\p{Cc}/u.test(filename)) return filename;
  throw problem(422, '"filename" must be text without control characters.');
}

function asProblem(error: unknown, request: FastifyRequest): unknown {
  if (error instanceof ChunkLengthError) return problem(400, error.message);
  if (error instanceof ChunkConflictError) return problem(409, error.message);
  // Its directory goes when the last chunk has come, which this one did not know of.
  if (hasCode(error, 'ENOENT')) return problem(503, 'The upload is being finished. Send it again.', retrySoon);
  // Nobody reads this answer, but the log should not take it for a fault of ours.
  if (request.raw.readableAborted) return problem(400, 'The connection ended before the chunk did.');
  return error;
}

function noSuchUpload(): Error {
  return problem(404, 'There is no upload of this id, or its two hours are over.');
}
