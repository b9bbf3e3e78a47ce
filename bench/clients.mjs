import { openState } from 'commonhold';
import { createClient } from 'redis';

/** @typedef {import('./harness.mjs').Place} Place */

const log = { info() {}, warn: console.error, error: console.error };

/** @param {Place} place */
export function stateOn({ url }) {
  // Many samples on a busy machine are no test of the deadlines.
  return openState({ namespace: 'shop', redis: { url, deadline: '10s', cacheDeadline: '10s' }, log });
}

export function stateInMemory() {
  return openState({ namespace: 'bench', redis: false, log });
}

/**
 * node-redis as it ships, or without the timer that it gives each command.
 * @param {Place} place
 * @param {boolean} tuned
 */
export async function nodeRedis({ url }, tuned) {
  const client = createClient(tuned ? { url, commandOptions: { timeout: 0 } } : { url });
  client.on('error', console.error);
  await client.connect();
  return client;
}
