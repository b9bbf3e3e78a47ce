import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll } from 'vitest';

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

/** Compiles the library anew, since a program of its own cannot load TypeScript, and dist may be old. */
export function useMemberProcesses(): MemberProcesses {
  const started: ChildProcess[] = [];
  let build: string;
  beforeAll(async () => {
    build = await compile(program);
  }, 60_000);
  afterAll(async () => {
    for (const child of started) child.kill('SIGKILL');
    await rm(build, { recursive: true });
  });
  return {
    start: async (url, namespace, name, count) => {
      const child = fork(join(build, 'program.js'), [url, namespace, name, String(count)], { execArgv: [] });
      started.push(child);
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

/** The library compiled into a new folder, with `program` beside it as `program.js`. */
export async function compile(program: string): Promise<string> {
  const build = await mkdtemp(join(tmpdir(), 'commonhold-members-'));
  const root = join(import.meta.dirname, '../../../..');
  const source = join(import.meta.dirname, '../../src');
  const options = ['--module', 'nodenext', '--target', 'es2023', '--types', 'node', '--noCheck', '--ignoreConfig'];
  await promisify(execFile)(join(root, 'node_modules/.bin/tsc'), [
    ...options,
    ...['--rootDir', source, '--outDir', build, join(source, 'index.ts')],
  ]);
  // Scripts are read from beside the compiled files.
  await cp(source, build, { recursive: true, filter: (path) => !path.endsWith('.ts') });
  await symlink(join(root, 'node_modules'), join(build, 'node_modules'));
  await writeFile(join(build, 'package.json'), '{"type":"module"}');
  await writeFile(join(build, 'program.js'), program);
  return build;
}
