import { afterAll, beforeAll } from 'vitest';
import { Client } from './client.js';
import { conversionContract } from './contract-conversions.js';
import { downloadContract } from './contract-downloads.js';
import { textContract } from './contract-texts.js';
import { refusalContract, uploadContract } from './contract-uploads.js';

/** Containers of one system, somewhere. */
export interface Processes {
  /** Their addresses, with the path of the system; requests are spread over them. */
  readonly bases: readonly string[];
  close(): Promise<void>;
}

/** What every processes of the audio system keeps, through HTTP alone; other people's data may be in it. */
export function contract(open: () => Promise<Processes>): void {
  let processes: Processes | undefined;
  let client: Client;
  beforeAll(async () => {
    processes = await open();
    client = new Client(processes.bases);
  }, 60_000);
  afterAll(() => processes?.close());

  uploadContract(() => client);
  refusalContract(() => client);
  conversionContract(() => client);
  textContract(() => client);
  downloadContract(() => client);
}
