import type { Fault } from './fault.js';
import { faultsOfClocks } from './faults-of-clocks.js';
import { faultsOfConnections } from './faults-of-connections.js';
import { faultsOfProcesses } from './faults-of-processes.js';
import { faultsOfRefusal } from './faults-of-refusal.js';
import { faultsOfRepetition } from './faults-of-repetition.js';
import { faultsOfServers } from './faults-of-servers.js';
import { faultsOfTopology } from './faults-of-topology.js';
import { faultsOfValues } from './faults-of-values.js';

/** All faults, in the order of their names. */
export const faults: readonly Fault[] = [
  ...faultsOfServers,
  ...faultsOfConnections,
  ...faultsOfRefusal,
  ...faultsOfTopology,
  ...faultsOfClocks,
  ...faultsOfProcesses,
  ...faultsOfValues,
  ...faultsOfRepetition,
].toSorted((a, b) => (a.id < b.id ? -1 : 1));
