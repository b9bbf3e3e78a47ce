import { itStaysUpWithoutRedis } from './outage.js';

itStaysUpWithoutRedis(Number(process.env['COMMONHOLD_OUTAGE_MS'] ?? 600_000));
