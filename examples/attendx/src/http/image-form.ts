import { problem } from '@commonhold/server';
import type { Multipart } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';

/** An image of 5 MB, counted generously. */
const mostImageBytes: number = 5 * 1_024 * 1_024;
/** Boundaries, headers and the name. */
const formBytes: number = 16 * 1_024;
const limits = { fileSize: mostImageBytes, files: 1, fields: 4, fieldSize: 1_024, fieldNameSize: 100, headerPairs: 32 };

/** What came with a form. */
export interface ImageForm {
  readonly image: Buffer;
  /** Empty when there was none. */
  readonly name: string;
}

/** Reads the form. Throws a 413, 415, 422, or 400 for what is no form. */
export async function receiveImage(request: FastifyRequest): Promise<ImageForm> {
  if (!request.isMultipart()) throw problem(415, 'Send multipart/form-data with an image in the field "image".');
  if (Number(request.headers['content-length']) > mostImageBytes + formBytes) throw tooLarge();
  try {
    return await readParts(request.parts({ limits }));
  } catch (error) {
    // What is still on its way would otherwise keep the connection from its next request.
    request.raw.unpipe();
    request.raw.resume();
    throw asProblem(error);
  }
}

async function readParts(parts: AsyncIterable<Multipart>): Promise<ImageForm> {
  let image: Buffer | undefined;
  let name = '';
  for await (const part of parts) {
    if (part.type === 'file' && part.fieldname === 'image') image = await part.toBuffer();
    else if (part.type === 'field' && part.fieldname === 'name') name = String(part.value);
    else throw problem(422, `Unexpected field ${JSON.stringify(part.fieldname)}.`);
  }
  if (image === undefined) throw problem(422, 'No image came. Send it as a file in the field "image".');
  return { image, name };
}

function tooLarge(): Error {
  return problem(413, `The image is larger than ${mostImageBytes / 1_024 / 1_024} MB.`);
}

function asProblem(error: unknown): unknown {
  if (!(error instanceof Error) || 'document' in error) return error;
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'FST_REQ_FILE_TOO_LARGE') return tooLarge();
  if (code === 'FST_FILES_LIMIT') return problem(422, 'Send one image at a time.');
  if (code === 'FST_FIELDS_LIMIT' || code === 'FST_PARTS_LIMIT') return problem(422, 'Too many fields.');
  return problem(400, `The form cannot be read (${error.message}).`);
}
