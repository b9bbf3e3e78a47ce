import { itStaysUpWithoutRedis } from './outage.js';

itStaysUpWithoutRedis(4_000);
