/** The HTTP calls of the tracker. Paths are relative, so the page works at the root and below a path. */

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
  const headers = { 'Content-Type': 'application/json' };
  const options = body === undefined ? { method } : { method, headers, body: JSON.stringify(body) };
  const response = await fetch(path, options).catch(() => {
    throw new ApiError(0, 'The server cannot be reached.');
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new ApiError(response.status, answer.detail ?? response.statusText);
  return answer;
}
