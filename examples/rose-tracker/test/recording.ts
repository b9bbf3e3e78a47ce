import { fileURLToPath } from 'node:url';

/** Tracks of people in a street, of the data collection that lies beside the repository. Without it tests fail. */
export const recording: string = fileURLToPath(
  new URL('../../../../shared/data/tracks/tud-stadtmitte.csv', import.meta.url),
);
