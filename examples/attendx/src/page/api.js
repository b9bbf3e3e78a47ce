/** The HTTP calls of AttendX. Paths are relative, so the page works at the root and below a path. The session is a cookie. */

/** An answer that is no success. `message` is the server's own sentence. */
export class ApiError extends Error {
  /** @param {number} status 0 when no answer came. @param {string} message @param {Headers} [headers] */
  constructor(status, message, headers = new Headers()) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body] a form as it is, anything else as JSON
 * @returns {Promise<{ answer: any, headers: Headers }>} of a success
 * @throws {ApiError}
 */
export async function call(method, path, body) {
  const response = await fetch(path, { method, ...encode(body) }).catch(() => {
    throw new ApiError(0, 'The server cannot be reached.');
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return { answer, headers: response.headers };
  throw new ApiError(response.status, answer.detail ?? response.statusText, response.headers);
}

/** @param {unknown} body */
function encode(body) {
  if (body === undefined) return {};
  if (body instanceof FormData) return { body };
  return { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
}
