/** `npm start -w examples/attendx`: this system alone, its paths at the root. */
import { runServer } from '@commonhold/server';
import { system } from './system.js';

await runServer([system], { atRoot: true });
