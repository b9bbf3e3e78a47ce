/** Sockets of the page: one that watches what is seen, and one for each simulated car. */
import { io } from './socket.io-client.js';

const heartbeatMs = 60_000;

/** @param {string} userId */
function open(userId) {
  const socket = io('/road', { transports: ['websocket'], auth: { userId }, forceNew: true });
  const timer = setInterval(() => socket.connected && socket.emit('heartbeat'), heartbeatMs);
  return { socket, timer };
}

/**
 * A socket that hears of whole areas without being a member anywhere.
 * @param {{ onState: (connected: boolean) => void, onEvent: (name: string, message: any) => void }} listeners
 * @returns {{ watch: (areaIds: string[]) => void }}
 */
export function connectWatcher({ onState, onEvent }) {
  const { socket } = open(`visitor-${Math.random().toString(36).slice(2, 10)}`);
  /** @type {string[]} */
  let areas = [];
  const tell = () => socket.connected && socket.emit('watch', { areaIds: areas });
  socket.on('connect', () => {
    tell();
    onState(true);
  });
  socket.on('disconnect', () => onState(false));
  socket.on('connect_error', () => onState(false));
  socket.onAny(onEvent);
  return {
    watch(areaIds) {
      areas = areaIds;
      tell();
    },
  };
}

/**
 * A member that moves.
 * @param {string} userId
 * @param {(socketId: string) => void} onConnect
 */
export function connectDriver(userId, onConnect) {
  const { socket, timer } = open(userId);
  socket.on('connect', () => onConnect(socket.id));
  return {
    /** @param {{ latitude: number, longitude: number }} place */
    move({ latitude, longitude }) {
      // What is sent while disconnected would be kept and come late.
      if (socket.connected) socket.emit('location', { latitude, longitude });
    },
    close() {
      clearInterval(timer);
      socket.disconnect();
    },
  };
}
