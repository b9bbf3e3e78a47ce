export { createSystem, type RoadSystemOptions, system } from './system.js';
export type { ServiceCheck, ServiceStatus } from './health/service-checks.js';
