import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { useProgram } from '../program-processes.js';

/** Joins thousands of members over many regions when asked to, listens to all events, and measures what it does. */
const program = `
import { openState } from './index.js';
const [url, name] = process.argv.slice(2);
const log = { info() {}, warn() {}, error() {} };
const state = await openState({ redis: url, namespace: 'crowd', owner: name, log });
const presence = state.presence('p');
const left = new Map();
let resyncs = 0;
const told = (type, id) => type === 'left' && left.set(id, (left.get(id) ?? 0) + 1);
let members = [];
const timed = async (work) => {
  const startedAtMs = performance.now();
  await work();
  return performance.now() - startedAtMs;
};
// Where no answer came it is done again, which is always safe; \`unknown\` counts how often.
let unknown = 0;
const insist = async (work) => {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (error.code !== 'OutcomeUnknown' && error.code !== 'Unavailable') throw error;
      unknown++;
      await new Promise((resolve) => setTimeout(resolve, 250 + 500 * Math.random()));
    }
  }
};
const median = async (times, work) => {
  const all = [];
  for (let index = 0; index < times; index++) all.push(await timed(() => work(index)));
  return all.sort((a, b) => a - b)[times >> 1];
};
const member = (index, regions) => ({
  id: name + '-' + index,
  user: name + '-user-' + (index >> 1),
  region: 'r' + (index % regions),
  location: { latitude: 24.86 + index / 1e6, longitude: 67.01 },
  meta: { name: 'Driver ' + index },
});
const steps = {
  subscribe: () => presence.subscribe(undefined, ({ type, member: { id } }) => told(type, id), { onResync: () => void resyncs++ }).then(() => 1),
  async join({ count, regions }) {
    const ms = await timed(async () => {
      members = await Promise.all(Array.from({ length: count }, (_, index) => insist(() => presence.join(member(index, regions)))));
    });
    return { unknown, ms };
  },
  async beat() {
    const last = members.at(-1);
    const seenAtMs = async () => (await insist(() => presence.get(last.id))).lastActivityAtMs;
    const before = await seenAtMs();
    for (const one of members) one.heartbeat();
    return timed(async () => {
      while ((await seenAtMs()) === before) await new Promise((resolve) => setTimeout(resolve, 20));
    });
  },
  region: ({ times, regions }) => median(times, (index) => insist(() => presence.members('r' + (index % regions)))),
  count: ({ times, regions }) => median(times, (index) => insist(() => presence.count('r' + (index % regions)))),
  async total({ regions }) {
    let sum = 0;
    for (let first = 0; first < regions; first += 50) {
      const some = Array.from({ length: Math.min(50, regions - first) }, (_, index) => first + index);
      const counts = await Promise.all(some.map((region) => insist(() => presence.count('r' + region))));
      sum += counts.reduce((all, count) => all + count, 0);
    }
    return sum;
  },
  // Who joined anew because no answer came has left before.
  forget() {
    left.clear();
    resyncs = 0;
  },
  heard: () => ({
    left: left.size,
    leftBy: [...new Set([...left.keys()].map((id) => id.split('-')[0]))],
    twice: [...left.values()].filter((times) => times > 1).length,
    resyncs,
  }),
};
process.on('message', async ({ step, argument }) => process.send({ answer: await steps[step](argument ?? {}) }));
process.send('ready');
`;

/** What a process has heard of those who left. */
export interface Heard {
  readonly left: number;
  /** The processes whose members left. */
  readonly leftBy: readonly string[];
  /** Members of whom it was told more than once. */
  readonly twice: number;
  readonly resyncs: number;
}

/** What joining came to. */
export interface Joined {
  /** Calls that had to be made again, since no answer came. */
  readonly unknown: number;
  readonly ms: number;
}

/** One process with a share of the crowd. Times are in milliseconds. */
export interface CrowdProcess {
  readonly child: ChildProcess;
  subscribe(): Promise<unknown>;
  join(crowd: { count: number; regions: number }): Promise<Joined>;
  /** From a heartbeat of every member until the store knows of the last. */
  beat(): Promise<number>;
  /** The median of reading one region after the other. */
  region(look: { times: number; regions: number }): Promise<number>;
  /** The median of counting one region after the other. */
  count(look: { times: number; regions: number }): Promise<number>;
  /** The sum of the counts of all regions. */
  total(look: { regions: number }): Promise<number>;
  heard(): Promise<Heard>;
  /** Forgets what was heard. */
  forget(): Promise<unknown>;
}

/** Starts a process of the crowd, on the library compiled anew. All end with the tests. */
export function useCrowd(): (url: string, name: string) => Promise<CrowdProcess> {
  const run = useProgram(program);
  return async (url, name) => {
    const child = run(url, name);
    const ended = once(child, 'exit').then(() => {
      throw new Error(`the process ${name} ended`);
    });
    ended.catch(() => undefined);
    await Promise.race([once(child, 'message'), ended]);
    const ask = async <Answer>(step: string, argument?: unknown): Promise<Answer> => {
      child.send({ step, argument });
      const [message] = (await Promise.race([once(child, 'message'), ended])) as [{ answer: Answer }];
      return message.answer;
    };
    return {
      child,
      subscribe: () => ask('subscribe'),
      join: (crowd) => ask('join', crowd),
      beat: () => ask('beat'),
      region: (look) => ask('region', look),
      count: (look) => ask('count', look),
      total: (look) => ask('total', look),
      heard: () => ask('heard'),
      forget: () => ask('forget'),
    };
  };
}
