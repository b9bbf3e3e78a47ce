/** What the files were called. The platform keeps no names, so the browser that sent them remembers. */

const key = 'ocr.names';
const mostNames = 500;

function read() {
  try {
    return new Map(JSON.parse(localStorage.getItem(key) ?? '[]'));
  } catch {
    return new Map();
  }
}

/** @param {string} taskId @param {string} name */
export function rememberName(taskId, name) {
  const names = [...read(), [taskId, name]].slice(-mostNames);
  localStorage.setItem(key, JSON.stringify(names));
}

/** @param {{ task_id: string, file_id?: string, name?: string }} task */
export function nameOf({ task_id, file_id, name }) {
  return name ?? read().get(task_id) ?? `Image ${(file_id ?? task_id).slice(0, 8)}`;
}
