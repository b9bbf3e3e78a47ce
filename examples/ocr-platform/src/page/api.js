/** The HTTP calls of the platform. Paths are relative, so the page works at the root and below a path. */

const tokenKey = 'ocr.token';

/** An answer that is no success. `message` is the server's own sentence. */
export class ApiError extends Error {
  /** @param {number} status 0 when no answer came. @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** The token of this browser's session, shared by its tabs; empty when signed out. */
export function currentToken() {
  return localStorage.getItem(tokenKey) ?? '';
}

/** @param {string} token empty to forget it */
export function rememberToken(token) {
  if (token === '') localStorage.removeItem(tokenKey);
  else localStorage.setItem(tokenKey, token);
}

/** Calls `listener` when another tab signs in or out. @param {() => void} listener */
export function onTokenChange(listener) {
  addEventListener('storage', (event) => {
    if (event.key === tokenKey || event.key === null) listener();
  });
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body] sent as JSON
 * @returns {Promise<any>} the JSON of a success
 * @throws {ApiError}
 */
export async function call(method, path, body) {
  /** @type {Record<string, string>} */
  const headers = {};
  if (currentToken() !== '') headers['Authorization'] = `Bearer ${currentToken()}`;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const options = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
  const response = await fetch(path, options).catch(() => {
    throw new ApiError(0, 'The server cannot be reached.');
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new ApiError(response.status, answer.detail ?? response.statusText);
  return answer;
}

/**
 * Uploads one image and tells how much of it has left. `fetch` cannot tell that.
 * @param {File} file
 * @param {number} priority
 * @param {(fraction: number) => void} onProgress
 * @returns {Promise<{ task_id: string }>}
 * @throws {ApiError}
 */
export function upload(file, priority, onProgress) {
  const form = new FormData();
  form.append('priority', String(priority));
  form.append('file', file);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.upload.addEventListener('progress', ({ loaded, total }) => onProgress(loaded / total));
    request.addEventListener('error', () => reject(new ApiError(0, 'The server cannot be reached.')));
    request.addEventListener('load', () => {
      const answer = parse(request.responseText);
      if (request.status === 202) resolve(answer);
      else reject(new ApiError(request.status, answer.detail ?? request.statusText));
    });
    request.open('POST', 'tasks');
    request.setRequestHeader('Authorization', `Bearer ${currentToken()}`);
    request.send(form);
  });
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
