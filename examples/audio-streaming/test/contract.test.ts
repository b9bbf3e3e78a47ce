import { describe } from 'vitest';
import { type Audio, startAudio } from './audio.js';
import { contract } from './contract.js';
import { temporaryDirectory } from './directories.js';
import { homes } from './homes.js';

describe.each(homes)('the audio system %s', (name, openHome) => {
  const home = openHome();
  contract(async () => {
    const ends: (() => Promise<void>)[] = [];
    const atEnd = (end: () => Promise<void>): void => void ends.unshift(end);
    const redisUrl = await home.url();
    const dataDirectory = await temporaryDirectory(atEnd);
    const containers: Audio[] = [];
    // In memory there is one; on Redis requests are spread over three.
    for (let count = 0; count < (name === 'on Redis' ? 3 : 1); count++) {
      const variables = { CONTAINER_ID: `container-${count + 1}` };
      containers.push(await startAudio({ redisUrl, dataDirectory, variables, atEnd }));
    }
    return {
      bases: containers.map(({ url }) => url),
      async close(): Promise<void> {
        for (const end of ends) await end();
      },
    };
  });
});
