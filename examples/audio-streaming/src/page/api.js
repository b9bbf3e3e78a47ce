/** The HTTP calls of the system. Paths are relative, so the page works at the root and below a path. */

/** An answer that is no success. `message` is the server's own sentence. */
export class ApiError extends Error {
  /** @param {number} status 0 when no answer came. @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body] sent as JSON
 * @returns {Promise<any>} the JSON of a success
 * @throws {ApiError}
 */
export async function call(method, path, body) {
  const json = { 'Content-Type': 'application/json' };
  return ask(path, body === undefined ? { method } : { method, headers: json, body: JSON.stringify(body) });
}

/**
 * As `call`, and undefined where there is nothing.
 * @param {string} path
 */
export async function find(path) {
  return call('GET', path).catch((error) => {
    if (error.status !== 404) throw error;
  });
}

/**
 * Sends one chunk of a file.
 * @param {string} uploadId
 * @param {File} file
 * @param {number} first
 * @param {number} end the byte after its last
 */
export function sendChunk(uploadId, file, first, end) {
  const headers = {
    'Content-Type': 'application/octet-stream',
    'Content-Range': `bytes ${first}-${end - 1}/${file.size}`,
  };
  return ask(`uploads/${uploadId}`, { method: 'PUT', headers, body: file.slice(first, end) });
}

/** The path of a file of a stream. @param {string} trackId @param {string} voiceId @param {string} name */
export function streamPath(trackId, voiceId, name) {
  return `tracks/${trackId}/${encodeURIComponent(voiceId)}/${name}`;
}

async function ask(path, options) {
  const response = await fetch(path, options).catch(() => {
    throw new ApiError(0, 'The server cannot be reached.');
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new ApiError(response.status, answer.detail ?? response.statusText);
  return answer;
}
