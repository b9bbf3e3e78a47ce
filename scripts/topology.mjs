/** `npm run topology`: three state servers behind nginx on one Redis, until Ctrl-C. */
import process from 'node:process';
import { startTopology } from './topology/start-topology.mjs';

/** How long after the first Ctrl-C another one counts: npm passes on the one that the terminal sent to all. */
const sameSignalMs = 500;

const stopping = new AbortController();
let askedAtMs = 0;
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  process.on(signal, () => {
    // A second one ends this process at once; a guard then kills what is left.
    if (stopping.signal.aborted && performance.now() - askedAtMs > sameSignalMs) process.exit(1);
    askedAtMs = performance.now();
    stopping.abort();
  });
}

const environment = Object.entries(process.env).filter(([name]) =>
  /^(?:LOG_LEVEL|OCR_|REDIS_\w+_PREFIX|REDIS_SESSION_TTL|DATABASE_URL)/.test(name),
);
const topology = await startTopology({
  env: Object.fromEntries(environment.map(([name, value]) => [name, value ?? ''])),
});
console.log(`Commonhold on ${topology.url}: nginx, ${topology.servers.length} state servers, Redis.`);
for (const { url, process: server } of topology.servers) console.log(`  ${url}  process ${server.id}`);
console.log(`Logs are in ${topology.directory}. Ctrl-C stops all of it.`);
if (!stopping.signal.aborted) await new Promise((resolve) => stopping.signal.addEventListener('abort', resolve));
console.log('Stopping.');
await topology.stop();
process.exit(0);
