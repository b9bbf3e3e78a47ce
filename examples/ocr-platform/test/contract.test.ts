import { describe } from 'vitest';
import { contract, type Processes } from './contract.js';
import { homes } from './homes.js';
import { startPlatform } from './platform.js';

describe.each(homes)('the contract, %s', (_name, open) => {
  const home = open();
  contract(async (): Promise<Processes> => {
    const ends: (() => Promise<void>)[] = [];
    const atEnd = (end: () => Promise<void>): void => void ends.unshift(end);
    const platform = await startPlatform({ redisUrl: await home.url(), atEnd });
    const close = async (): Promise<void> => {
      for (const end of ends) await end();
    };
    return { bases: [platform.url], close };
  });
});
