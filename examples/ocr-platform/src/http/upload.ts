import { BusyError, ConcurrencyLimit, problem } from '@commonhold/server';
import type { Multipart, MultipartFile } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import type { FileStore, ReceivedFile } from '../files/file-store.js';
import { hasCode } from '../has-code.js';
import { ImageError, type ImageErrorKind } from '../recognition/image-error.js';
import { inspectImage } from '../recognition/inspect-image.js';

/** What came with `POST /tasks`. */
export interface Upload {
  readonly file: ReceivedFile;
  /** 0 to 10. */
  readonly priority: number;
}

/** A file of 20 MB, counted generously. */
const mostBytes: number = 20 * 1_024 * 1_024;
/** Boundaries, headers and the priority. */
const formBytes: number = 64 * 1_024;
const limits = { fileSize: mostBytes, files: 1, fields: 8, fieldSize: 1_024, fieldNameSize: 100, headerPairs: 32 };
const standardPriority = 5;

const expectedFields =
  'Send multipart/form-data with the image in the field "file" and, if you like, a number in "priority".';
const tooLarge = 'The file is larger than 20 MB.';

/** An inspection holds the file and some pixels in memory. */
const inspections = new ConcurrencyLimit(2, 64);

const statusOf: Readonly<Record<ImageErrorKind, number>> = {
  empty: 415,
  'not-an-image': 415,
  unsupported: 415,
  damaged: 422,
  'too-many-pixels': 422,
  'too-many-pages': 422,
};

/** Streams the form to the disk and looks at the image. The caller keeps or discards the file; on a refusal none is left. */
export async function receiveUpload(request: FastifyRequest, files: FileStore): Promise<Upload> {
  if (!request.isMultipart()) throw problem(415, expectedFields);
  if (Number(request.headers['content-length']) > mostBytes + formBytes) throw problem(413, tooLarge);
  const form = new UploadForm(files);
  try {
    for await (const part of request.parts({ limits })) await form.take(part);
    return await form.finish();
  } catch (error) {
    await form.discard();
    // What is still on its way would otherwise keep the connection from its next request.
    request.raw.unpipe();
    request.raw.resume();
    throw asProblem(error);
  }
}

class UploadForm {
  readonly #files: FileStore;
  #file: ReceivedFile | undefined;
  #priority = standardPriority;

  constructor(files: FileStore) {
    this.#files = files;
  }

  async take(part: Multipart): Promise<void> {
    if (part.type === 'file') this.#file = await this.#receive(part);
    else if (part.fieldname === 'priority') this.#priority = readPriority(part.value);
    else throw problem(422, `Unexpected field ${JSON.stringify(part.fieldname)}. ${expectedFields}`);
  }

  async finish(): Promise<Upload> {
    if (this.#file === undefined) throw problem(422, `No file came. ${expectedFields}`);
    const { path } = this.#file;
    await inspections.run(() => inspectImage(path));
    return { file: this.#file, priority: this.#priority };
  }

  async discard(): Promise<void> {
    if (this.#file !== undefined) await this.#files.discard(this.#file);
  }

  async #receive(part: MultipartFile): Promise<ReceivedFile> {
    if (part.fieldname === 'file') return this.#files.receive(part.file);
    throw problem(422, `Unexpected field ${JSON.stringify(part.fieldname)}. ${expectedFields}`);
  }
}

function readPriority(value: unknown): number {
  const text = String(value);
  if (/^\d{1,2}$/.test(text) && Number(text) <= 10) return Number(text);
  throw problem(422, `"priority" must be a whole number from 0 to 10; received ${JSON.stringify(text.slice(0, 40))}.`);
}

function asProblem(error: unknown): unknown {
  if (error instanceof ImageError) return problem(statusOf[error.kind], error.message);
  if (error instanceof BusyError) return problem(503, error.message);
  if (hasCode(error, 'FST_REQ_FILE_TOO_LARGE')) return problem(413, tooLarge);
  if (hasCode(error, 'FST_FILES_LIMIT')) return problem(422, 'Send one file at a time.');
  if (hasCode(error, 'FST_FIELDS_LIMIT', 'FST_PARTS_LIMIT')) return problem(422, `Too many fields. ${expectedFields}`);
  // The file system names its call; what is left, the form's parser refused.
  const ours = !(error instanceof Error) || 'document' in error || 'syscall' in error;
  return ours ? error : problem(400, `The form cannot be read (${error.message}). ${expectedFields}`);
}
