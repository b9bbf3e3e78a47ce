export { type AudioOptions, createAudioSystem, system } from './system.js';
export { type AudioState, openAudioState, type Track } from './audio-state.js';
export { type Owned, RedisStateManager, type StateManagerOptions } from './state-manager.js';
export { type RedisClient, redisClient } from './redis-client.js';
export {
  type Converter,
  type ConverterJob,
  createCutter,
  sameVoice,
  type VoiceTransform,
} from './conversion/converter.js';
export type { Piece } from './files/piece.js';
export { readSettings, type Settings } from './settings.js';
export { evenWordTimer, type SpokenText, type WordTimer, type WordTiming } from './timing/word-timer.js';
