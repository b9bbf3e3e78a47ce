/** The socket that tells how tasks get on. */
import { io } from './socket.io-client.js';

const retryMs = 2_000;

/**
 * Connects with the session's token. After a break it goes on where it stopped: nothing is missed and nothing comes twice.
 * @param {string} token
 * @param {{
 *   onUpdate: (update: any) => void,
 *   onReload: () => void,
 *   onState: (connected: boolean) => void,
 *   onSessionEnd: () => void,
 * }} listeners `onReload`: read the list anew, since messages may be missing
 * @returns {() => void} disconnects
 */
export function connectLive(token, { onUpdate, onReload, onState, onSessionEnd }) {
  let lastId;
  const socket = io('/ocr', {
    transports: ['websocket'],
    auth: (give) => give({ token, last_id: lastId }),
    forceNew: true,
  });
  socket.on('connect', () => {
    onState(true);
    // Without an id there is nothing to go on from.
    if (lastId === undefined) onReload();
  });
  socket.on('task_update', (update) => {
    lastId = update.id;
    onUpdate(update);
  });
  socket.on('resync', onReload);
  socket.on('disconnect', (reason) => {
    onState(false);
    if (reason === 'io server disconnect') onSessionEnd();
  });
  socket.on('connect_error', (error) => {
    onState(false);
    if (error.data?.status === 401) onSessionEnd();
    // A refused connection is not tried again by itself, unlike a broken one.
    else if (error.data !== undefined) setTimeout(() => socket.connect(), retryMs);
  });
  return () => socket.disconnect();
}
