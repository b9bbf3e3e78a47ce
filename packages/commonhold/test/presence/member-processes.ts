import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { useProgram } from '../program-processes.js';

/**
 * Joins `count` members `<name>-<n>` of user `ada` to region `r`, sends a heartbeat for each every second, holds
 * `work:<name>`, and answers what it sees and heard; it ends in order on SIGTERM.
 */
const program = `
import { openState } from './index.js';
const [url, namespace, name, count] = process.argv.slice(2);
const log = { info() {}, warn() {}, error() {} };
const state = await openState({ redis: url, namespace, owner: name, log });
const presence = state.presence('p');
const heard = [];
const resyncs = [];
const onResync = () => void resyncs.push(1);
await presence.subscribe(undefined, ({ type, member }) => void heard.push(type + ' ' + member.id), { onResync });
await state.owners.subscribe((event) => void heard.push(event.type + ' ' + event.owner.split('#')[0]), { onResync });
await state.owners.hold('work:' + name);
const ids = Array.from({ length: Number(count) }, (_, index) => name + '-' + index);
const members = await Promise.all(ids.map((id) => presence.join({ id, region: 'r', user: 'ada' })));
setInterval(() => members.forEach((member) => member.heartbeat()), 1000);
const look = async () => ({
  count: await presence.count('r'),
  ids: (await presence.members('r')).map(({ id }) => id),
  user: (await presence.user('ada')).members.length,
  owners: (await state.owners.list()).map((owner) => owner.name),
  orphans: (await state.owners.orphans()).map((orphan) => orphan.name),
  heard,
  resyncs: resyncs.length,
});
const steps = { look, takeOver: async (name) => (await state.owners.takeOver(name)) !== undefined };
process.on('message', async ({ step, argument }) => process.send({ answer: await steps[step](argument) }));
process.on('SIGTERM', async () => {
  await state.close();
  process.exit();
});
process.send('ready');
`;

/** What a member process sees, and what it heard since it began. */
export interface Sight {
  readonly count: number;
  readonly ids: readonly string[];
  readonly user: number;
  readonly owners: readonly string[];
  readonly orphans: readonly string[];
  readonly heard: readonly string[];
  readonly resyncs: number;
}

/** One process with members. */
export interface MemberProcess {
  readonly child: ChildProcess;
  look(): Promise<Sight>;
  takeOver(name: string): Promise<boolean>;
}

/** Starts processes with members, which end with the tests. */
export interface MemberProcesses {
  /** Resolves when all its members have joined. */
  start(url: string, namespace: string, name: string, count: number): Promise<MemberProcess>;
}

/** Starts processes with members, on the library compiled anew. */
export function useMemberProcesses(): MemberProcesses {
  const run = useProgram(program);
  return {
    start: async (url, namespace, name, count) => {
      const child = run(url, namespace, name, String(count));
      await once(child, 'message');
      const ask = async (step: string, argument?: string): Promise<unknown> => {
        child.send({ step, argument });
        const [message] = (await once(child, 'message')) as [{ answer: unknown }];
        return message.answer;
      };
      return {
        child,
        look: async () => (await ask('look')) as Sight,
        takeOver: async (held) => (await ask('takeOver', held)) === true,
      };
    },
  };
}
