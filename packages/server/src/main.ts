/** What `npm start` runs: the state server with every system that is installed. */
import { runServer } from './run-server.js';
import type { System } from './system.js';

/** By name and not by import: these packages depend on this one, to run alone. */
const packages = [
  '@commonhold/rose-tracker',
  '@commonhold/attendx',
  '@commonhold/audio-streaming',
  '@commonhold/road-quality',
  '@commonhold/ocr-platform',
];

function isInstalled(name: string): boolean {
  try {
    import.meta.resolve(name);
    return true;
  } catch {
    return false;
  }
}

const modules = await Promise.all(
  packages.filter(isInstalled).map(async (name) => (await import(name)) as { readonly system: System }),
);
await runServer(modules.map(({ system }) => system));
