/** Tells, while it lasts, that the server runs without Redis. */

const everyMs = 3_000;
const text = 'Running without Redis. Images are taken, and read when it is back; what became of them is shown then.';

/**
 * @param {any} line is empty while all is well
 * @param {() => void} onEnd called when Redis is back
 */
export function watchOutage(line, onEnd) {
  const look = async () => {
    if (document.hidden) return;
    const status = await readStatus();
    // That the server does not answer, every other call tells.
    if (status === undefined) return;
    const away = status === 'degraded';
    const wasAway = line.textContent !== '';
    // Only news: a screen reader reads every change aloud.
    if (away === wasAway) return;
    line.textContent = away ? text : '';
    if (wasAway) onEnd();
  };
  document.addEventListener('visibilitychange', () => void look());
  setInterval(() => void look(), everyMs);
  void look();
}

/** @returns {Promise<string | undefined>} */
async function readStatus() {
  try {
    const answer = await fetch('/health', { cache: 'no-store', signal: AbortSignal.timeout(everyMs) });
    return (await answer.json()).status;
  } catch {
    return undefined;
  }
}
