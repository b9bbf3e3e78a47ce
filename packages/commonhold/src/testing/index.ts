export {
  type Engine,
  type EngineKind,
  memoryEngine,
  redisClusterEngine,
  redisEngine,
  stoppedRedisEngine,
} from './engine.js';
export { createManualClock, type ManualClock } from './manual-clock.js';
export { createShiftedClock, type ShiftedClock } from './shifted-clock.js';
export { startRedisCluster, type RedisCluster } from './redis-cluster.js';
export { startRedisSentinels, type RedisSentinels } from './redis-sentinel.js';
export { startRedisServer, type RedisServer } from './redis-server.js';
export { createFaultyStore, type FaultScope, type FaultyStore } from './faulty-store.js';
export type { StoreFault } from './faulty-link.js';
export { startFaultProxy, type FaultProxy } from './fault-proxy.js';
export { countCommands } from './command-count.js';
export { leakCheck, type LeakCheck } from './leak-check.js';
export { compareTwins, type ModelStep, type Twins } from './model.js';
export { seededRandom, seedFromEnvironment } from './random.js';
export {
  createSimulation,
  type Simulation,
  type SimulationOptions,
  type SimulationTimes,
} from './simulation/simulation.js';
export { freePort } from './free-port.js';
export { eventually, pause, waitUntil, type WaitOptions } from './waiting.js';
export type { TestRunner } from './suite.js';
export { closeConformance } from './close-conformance.js';
export { abortConformance } from './abort-conformance.js';
export { iterationConformance } from './iteration-conformance.js';
export { cacheTagConformance } from './cache-tag-conformance.js';
export { cacheNearConformance } from './cache-near-conformance.js';
export { cacheLifeConformance } from './cache-life-conformance.js';
export { cacheConformance } from './cache-conformance.js';
export { channelConformance } from './channel-conformance.js';
export { concurrencyConformance } from './concurrency-conformance.js';
export { counterConformance } from './counter-conformance.js';
export { counterOperationConformance } from './counter-operation-conformance.js';
export { mapConformance } from './map-conformance.js';
export { mapChangeConformance } from './map-change-conformance.js';
export { everyConformance } from './every-conformance.js';
export { leaderConformance } from './leader-conformance.js';
export { lockConformance } from './lock-conformance.js';
export { lockGuardConformance } from './lock-guard-conformance.js';
export { lockReadWriteConformance } from './lock-read-write-conformance.js';
export { ownersConformance } from './owners-conformance.js';
export { presenceConformance } from './presence-conformance.js';
export { presenceLifeConformance } from './presence-life-conformance.js';
export { queueConformance } from './queue-conformance.js';
export { queueLimitsConformance } from './queue-limits-conformance.js';
export { queueGroupConformance } from './queue-group-conformance.js';
export { queueSearchConformance } from './queue-search-conformance.js';
export { queueUpkeepConformance } from './queue-upkeep-conformance.js';
export { queueResultConformance } from './queue-result-conformance.js';
export { queueScheduleConformance } from './queue-schedule-conformance.js';
export { queueTurnConformance } from './queue-turn-conformance.js';
export { queueWorkerConformance } from './queue-worker-conformance.js';
export { rateLimitConformance } from './rate-limit-conformance.js';
export { rateLimitOperationConformance } from './rate-limit-operation-conformance.js';
export { rateLimitRulesConformance } from './rate-limit-rules-conformance.js';
export { rateLimitWaitConformance } from './rate-limit-wait-conformance.js';
export { runOnceConformance } from './run-once-conformance.js';
export { runOnceBeginConformance } from './run-once-begin-conformance.js';
export { schemaConformance } from './schema-conformance.js';
export { sessionConformance } from './session-conformance.js';
export { sessionAccountConformance } from './session-account-conformance.js';
export { sessionLifeConformance } from './session-life-conformance.js';
export { viewConformance } from './view-conformance.js';
export { sessionWatchConformance } from './session-watch-conformance.js';
export { uniqueSetConformance } from './unique-set-conformance.js';
