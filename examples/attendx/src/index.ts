export { attendx, type AttendxOptions, system } from './system.js';
export type { Embed, Embedding } from './embedding/embedding.js';
export { type CacheUtility, openCacheUtility } from './cache/cache-utility.js';
export type { RedisClient } from './cache/redis-client.js';
