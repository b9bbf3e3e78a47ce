/** Keeps the health line of the page up to date. */

const everyMs = 3_000;
const line = document.getElementById('health');

/** Changes the line only when there is news: a screen reader reads every change aloud. */
function show(status, message) {
  if (line.dataset.status === status && line.textContent === message) return;
  line.dataset.status = status;
  line.textContent = message;
}

async function look() {
  if (document.hidden) return;
  try {
    const response = await fetch('/health', { cache: 'no-store', signal: AbortSignal.timeout(everyMs) });
    const { status, message } = await response.json();
    show(status === 'degraded' ? 'degraded' : 'healthy', message ?? status);
  } catch {
    show('away', 'The server does not answer.');
  }
}

document.addEventListener('visibilitychange', () => void look());
setInterval(() => void look(), everyMs);
