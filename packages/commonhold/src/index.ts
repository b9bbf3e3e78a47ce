export type { AwayChoices, AwayDefaults } from './away.js';
export { openState } from './open-state.js';
export { SharedState } from './shared-state.js';
export type { AbandonedWork, CloseReport, StateCloseOptions } from './close-report.js';
export type { StateConflict, StateEvents, StateListener } from './state-events.js';
export type { ViewOptions } from './state-views.js';
export type {
  OpenOptions,
  RedisCallOptions,
  RedisClusterOptions,
  RedisOptions,
  RedisPlaceOptions,
  RedisSentinelOptions,
  RedisSplitOptions,
} from './options.js';
export { createMemoryStore, type MemoryStore, type MemoryStoreOptions } from './backend/memory/memory-store.js';
export type { BackendStatus, ConnectedRedis, StoreLoss } from './backend/backend.js';
export type { Duration } from './duration.js';
export type { Clock, Timer } from './clock.js';
export type { Random } from './random.js';
export type { Log } from './log.js';
export type { Environment } from './environment.js';
export * from './errors.js';
export type { SchemaIssue, SchemaOption, SchemaResult, StandardSchema } from './schema.js';
export { Queue } from './queue/queue.js';
export type { JobList, ListOptions } from './queue/job-pages.js';
export type { Job, JobLogLine } from './queue/job-records.js';
export type { ManyOptions, SearchOptions, TimeRange } from './queue/job-filter.js';
export type { AddOptions } from './queue/new-job.js';
export type { EventsOptions, JobEvent } from './queue/job-events.js';
export type { JobSchedule } from './queue/job-schedule.js';
export type { ScheduleTimes } from './ticks.js';
export type { JobWaitOptions } from './queue/job-wait.js';
export type { QueuedJob } from './queue/queued-job.js';
export type { RemoveOptions } from './queue/queue-upkeep.js';
export type {
  BackoffOptions,
  GroupOptions,
  JobOptions,
  JobSchemas,
  LimitOptions,
  QueueOptions,
} from './queue/queue-options.js';
export type {
  AddedJob,
  DocumentedNames,
  EndedStatus,
  JobStatus,
  PauseOf,
  QueueCounts,
  QueueDay,
  QueueTotals,
} from './queue/queue-port.js';
export type { JobControls, JobHandler, JobToRun } from './queue/job-handler.js';
export type { CloseOptions, JobWorker, WorkOptions } from './queue/job-worker.js';
export type { DocumentedNotice, JobNotice } from './queue/job-notice.js';
export { JobAborted, NonRetryableError } from './queue/running-job.js';
export { Cache } from './cache/cache.js';
export type {
  CacheClearOptions,
  CacheComputeOptions,
  CacheGetOptions,
  CacheOptions,
  CacheSetOptions,
  NearOptions,
} from './cache/cache-options.js';
export type { FoundValues } from './cache/cache-reader.js';
export type { CacheStats } from './cache/cache-stats.js';
export type { Compute, ComputeControls } from './cache/compute-run.js';
export {
  Channel,
  type ChannelHistory,
  type ChannelOptions,
  type HistoryOptions,
  type MessagesOptions,
  type SubscribeOptions,
} from './channel/channel.js';
export type { ChannelMessage } from './message-iteration.js';
export type { IterateOptions } from './pages.js';
export type { MessageListener, Subscription } from './channel/subscription.js';
export type { MessageFormat } from './message-frame.js';
export type { OperationOptions } from './operation-id.js';
export { Counter, type CounterOptions, type DayCount, type SeriesRange } from './counter/counter.js';
export { type MapSubscription, SharedMap } from './map/map.js';
export type { MapEntries } from './map/iterable-map.js';
export type { MapChange, MapEntry } from './map/map-entry.js';
export type { MapPageOptions, MapOptions, MapSetOptions, MapSubscribeOptions } from './map/map-options.js';
export type { MapReplica } from './map/map-replica.js';
export type { Hold } from './owners/held-names.js';
export type { Holding, Orphan } from './owners/owners-port.js';
export { type LiveOwner, type OwnerEvent, Owners, type OwnersSubscribeOptions } from './owners/owners.js';
export type { Location, RegionMap } from './presence/location.js';
export type { PresentMember } from './presence/member-text.js';
export type { Membership } from './presence/membership.js';
export type { JoiningMember, PresenceMove, PresenceOptions } from './presence/presence-options.js';
export {
  Presence,
  type PresenceEvent,
  type PresenceMembersOptions,
  type PresenceSubscribeOptions,
  type PresentUser,
} from './presence/presence.js';
export {
  type ConsumeOptions,
  RateLimit,
  type RateLimitCounts,
  type RateLimitOptions,
} from './rate-limit/rate-limit.js';
export { Concurrency, type ConcurrencyOptions, type SlotOptions } from './concurrency/concurrency.js';
export type { ConcurrencyCount } from './concurrency/concurrency-port.js';
export type { Slot } from './concurrency/slot.js';
export { consumeAll, type LimitedHit, type Refundable } from './rate-limit/consume-all.js';
export { rateLimitHeaders } from './rate-limit/headers.js';
export type { HitOptions } from './rate-limit/hit-options.js';
export type { RateLimitPolicy } from './rate-limit/policy.js';
export type { GcraRule, RateLimitRule, TokenBucketRule, WindowRule } from './rate-limit/rule.js';
export type { RateLimitRules } from './rate-limit/rule-set.js';
export type { SubjectList } from './rate-limit/subject-list.js';
export type { PolicyVerdict, RateLimitVerdict } from './rate-limit/verdict.js';
export {
  type IssuedSession,
  type ListedSession,
  type RevokeAllOptions,
  type RevokeOptions,
  type SessionLogin,
  Sessions,
  type WatchedSession,
} from './session/session.js';
export type { Session, SessionChanges, SessionEndReason, SessionRead } from './session/session-reader.js';
export type { SessionDevice } from './session/session-device.js';
export type { SessionSchemas, SessionsOptions, TokenReuse } from './session/session-options.js';
export { type MembersOptions, type MembersPage, UniqueSet, type UniqueSetOptions } from './unique-set/unique-set.js';
export { type HeldLock, Lock, type LockOptions } from './lock/lock.js';
export type { AcquireOptions, LockAccess, LockHold } from './lock/lock-access.js';
export { ReadWriteLock, type ReadWriteLockOptions } from './lock/read-write-lock.js';
export type { Guard, GuardOptions } from './guard.js';
export { guardHeaders, guardOfHeaders } from './guard-headers.js';
export type { Candidacy } from './leader/candidacy.js';
export { type CurrentLeader, Leader, type Leadership } from './leader/leader.js';
export { Every, type Tick } from './every/every.js';
export type { LockStatus, ReadWriteStatus } from './lock/lock-port.js';
export {
  type BeginOptions,
  type BegunRun,
  type RunControls,
  RunOnce,
  type RunOnceOptions,
  type RunOptions,
  type RunState,
} from './run-once/run-once.js';
export type { OpenRun } from './run-once/open-run.js';
