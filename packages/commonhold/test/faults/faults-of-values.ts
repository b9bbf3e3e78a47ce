import { pause } from '../../src/testing/waiting.js';
import { canaryValue } from './probe.js';
import { askOnce, expectFailure, expectThat } from './cells.js';
import type { CallFault, Cell } from './fault.js';

const large = Buffer.alloc(100 * 1024 * 1024);
const long = 'x'.repeat(1_000_000);
const torn = '{"torn';
const nothing = (): undefined => undefined;

/** What is stored, or is about to be, is not what it should be. */
export const faultsOfValues: readonly CallFault[] = [
  {
    id: 'F25',
    title: 'a payload of 100 MB',
    how: 'values of 100 MB, texts and names of 1 MB',
    expected: { CA: 'EX', SE: 'EX', RL: 'OK', MA: 'EX', LO: 'OK', QU: 'EX', PS: 'EX', PR: 'EX', US: 'EX OK' },
    cells: {
      CA: async (cell) =>
        void (await askOnce(
          cell,
          () => cell.subject.cache('c').set('k', large),
          () => 'OK',
        )),
      SE: async (cell) => {
        const sessions = cell.subject.sessions<{ note: string }>('s');
        const { token } = await sessions.create();
        await askOnce(
          cell,
          () => sessions.set(token, { note: long }),
          () => 'OK',
        );
      },
      RL: async (cell) =>
        void (await askOnce(
          cell,
          () => cell.subject.rateLimit('r', '5 per day').consume(long),
          () => 'OK',
        )),
      MA: async (cell) =>
        void (await askOnce(
          cell,
          () => cell.subject.map('m').set('k', large),
          () => 'OK',
        )),
      LO: async (cell) =>
        void (await askOnce(
          cell,
          () => cell.subject.lock(long).tryAcquire(),
          () => 'OK',
        )),
      QU: async (cell) =>
        void (await askOnce(
          cell,
          () => cell.subject.queue('q').add(large),
          () => 'OK',
        )),
      PS: async (cell) =>
        void (await askOnce(
          cell,
          () => cell.subject.channel('p').publish(large),
          () => 'OK',
        )),
      PR: async (cell) => {
        const join = { id: 'a', region: 'r', meta: long };
        await askOnce(
          cell,
          () => cell.subject.presence<string>('p').join(join),
          () => 'OK',
        );
      },
      US: async (cell) =>
        void (await askOnce(
          cell,
          () => cell.subject.uniqueSet('u').add(long),
          () => 'OK',
        )),
    },
  },
  {
    id: 'F26',
    title: 'keys of another type',
    how: 'each key of a feature is replaced by a list',
    expected: { CA: 'LD', SE: 'AB', RL: 'EX', MA: 'EX', LO: 'EX', QU: 'EX', PS: 'EX', PR: 'EX', CN: 'EX', US: 'EX' },
    cells: {
      CA: async (cell) => {
        const cache = cell.subject.cache('c');
        await cache.set('k', 1);
        await replaceByLists(cell, 'cache');
        await askOnce(
          cell,
          () => cache.get('k'),
          (value) => (value === undefined ? 'LD' : '!!'),
        );
      },
      SE: async (cell) => {
        const sessions = cell.subject.sessions('s');
        const { token } = await sessions.create();
        await replaceByLists(cell, 'session');
        await askOnce(
          cell,
          () => sessions.read(token),
          ({ session }) => (session === undefined ? 'AB' : '!!'),
        );
      },
      RL: async (cell) => {
        const limit = cell.subject.rateLimit('r', '5 per day');
        await limit.consume('s');
        await replaceByLists(cell, 'rate-limit');
        await expectFailure(cell, () => limit.consume('s'));
      },
      MA: async (cell) => {
        const map = cell.subject.map('m');
        await map.set('k', 1);
        await replaceByLists(cell, 'map');
        await expectFailure(cell, () => map.get('k'));
        await expectFailure(cell, () => map.set('k', 2));
      },
      LO: async (cell) => {
        await (await cell.subject.lock('l').tryAcquire())?.release();
        await cell.world.server.command('DEL', 'faults:lock:{l}');
        await cell.world.server.command('LPUSH', 'faults:lock:{l}', 'x');
        await expectFailure(cell, () => cell.subject.lock('l').tryAcquire());
      },
      QU: async (cell) => {
        const queue = cell.subject.queue('q');
        await queue.add(1);
        await replaceByLists(cell, 'queue');
        await expectFailure(cell, () => queue.add(2));
      },
      PS: async (cell) => {
        const channel = cell.subject.channel('p');
        await channel.publish(1);
        await replaceByLists(cell, 'channel');
        await expectFailure(cell, () => channel.publish(2));
      },
      PR: async (cell) => {
        const presence = cell.subject.presence('p');
        await presence.join({ id: 'a', region: 'r' });
        await replaceByLists(cell, 'presence');
        await expectFailure(cell, () => presence.members('r'));
      },
      CN: async (cell) => {
        const counter = cell.subject.counter('c');
        await counter.add();
        await replaceByLists(cell, 'counter');
        await expectFailure(cell, () => counter.add());
      },
      US: async (cell) => {
        const set = cell.subject.uniqueSet('u');
        await set.add('a');
        await replaceByLists(cell, 'unique-set');
        await expectFailure(cell, () => set.add('b'));
      },
    },
  },
  {
    id: 'F27',
    title: 'damaged values',
    how: 'stored text is cut short, or of a form that nobody knows (first byte 0x0f)',
    expected: { CA: 'LD', SE: 'AB', RL: 'EX', MA: 'EX', LO: 'EX', PS: 'OK', PR: 'OK EX', CN: 'EX' },
    cells: {
      CA: async (cell) => {
        const cache = cell.subject.cache('c');
        for (const bytes of [torn, '\u000fnew']) {
          await cell.world.server.command('SET', 'faults:cache:{c:k}', bytes);
          await askOnce(
            cell,
            () => cache.get('k'),
            (value) => (value === undefined ? 'LD' : '!!'),
          );
        }
      },
      SE: async (cell) => {
        const sessions = cell.subject.sessions<{ note: string }>('s');
        const { token } = await sessions.create({ data: { note: canaryValue } });
        const [key = ''] = await keysOf(cell, 'session');
        await cell.world.server.command('HSET', key, 'd.note', torn);
        await askOnce(
          cell,
          () => sessions.read(token),
          ({ session }) => (session === undefined ? 'AB' : '!!'),
        );
      },
      RL: async (cell) => {
        const limit = cell.subject.rateLimit('r', '5 per day');
        await limit.consume('s');
        for (const key of await keysOf(cell, 'rate-limit')) await cell.world.server.command('SET', key, 'garbage');
        await expectFailure(cell, () => limit.consume('s'));
      },
      MA: async (cell) => {
        const map = cell.subject.map('m');
        await map.set('k', 1);
        await cell.world.server.command('HSET', 'faults:map:{m}', 'k', `1|||${torn}`);
        await expectFailure(cell, () => map.get('k'));
        await expectFailure(cell, () => map.update('k', () => 2));
        const kept = await cell.world.server.command('HGET', 'faults:map:{m}', 'k');
        expectThat(cell, kept === `1|||${torn}`, 'EX', 'what could not be read was overwritten');
      },
      LO: async (cell) => {
        await cell.world.server.command('HSET', 'faults:lock:{l}', 'holder', 'x', 'ends_at', 'abc', 'token', 'abc');
        await askOnce(
          cell,
          () => cell.subject.lock('l').tryAcquire(),
          (held) => (held === undefined ? 'EX' : '!!'),
        );
      },
      PS: async (cell) => {
        const heard: unknown[] = [];
        const channel = cell.subject.channel<number>('p');
        await channel.subscribe((message) => void heard.push(message));
        const id = await channel.publish(1);
        const { server } = cell.world;
        const bad = String(await server.command('XADD', 'faults:channel:{p}', '*', 'p', id, 'b', torn));
        await server.command('PUBLISH', 'faults:channel:{p}', `${id} ${bad}\n${torn}`);
        await channel.publish(2);
        for (let n = 0; n < 100 && !heard.includes(2); n += 1) await pause(20);
        expectThat(cell, heard.join() === '1,2', 'OK', `heard ${heard.join()}`);
      },
      PR: async (cell) => {
        const presence = cell.subject.presence('p');
        await presence.join({ id: 'whole', region: 'r' });
        await presence.join({ id: 'bad', region: 'r' });
        await cell.world.server.command('HSET', 'faults:presence:{p}:members', 'bad', '\u000f');
        await askOnce(
          cell,
          () => presence.members('r'),
          (members) => (members.length === 1 ? 'OK' : '!!'),
        );
      },
      CN: async (cell) => {
        await cell.world.server.command('SET', 'faults:counter:{c}', 'abc');
        await expectFailure(cell, () => cell.subject.counter('c').add());
        await expectFailure(cell, () => cell.subject.counter('c').get());
      },
    },
  },
  {
    id: 'F28',
    title: 'two versions at once',
    how: 'an earlier build beside this one on one store',
    notRun: () => 'there is no earlier release to run',
    expected: { CA: 'OK', SE: 'OK', RL: 'OK', MA: 'OK', LO: 'OK', QU: 'OK', PS: 'OK', PR: 'OK', CN: 'OK', US: 'OK' },
    cells: {},
  },
  {
    id: 'F29',
    title: 'ends while it is changed',
    how: '`PEXPIRE` between the reading and the writing half of a change',
    expected: { CA: 'LD', SE: 'AB', RL: 'OK', MA: 'OK', LO: 'LE', CN: 'OK' },
    cells: {
      CA: async (cell) => {
        const cache = cell.subject.cache('c');
        await cache.set('k', 1);
        await endAll(cell, 'cache');
        await askOnce(
          cell,
          () => cache.getOrSet('k', () => 2),
          (value) => (value === 2 ? 'LD' : '!!'),
        );
      },
      SE: async (cell) => {
        const sessions = cell.subject.sessions<{ n: number }>('s');
        const { token } = await sessions.create({ user: 'ada', data: { n: 0 } });
        await endAll(cell, 'session');
        await askOnce(
          cell,
          () => sessions.set(token, { n: 1 }),
          (version) => (version === undefined ? 'AB' : '!!'),
        );
        const [ghost] = await keysOf(cell, 'session');
        if (ghost !== undefined) cell.sightings.wrong('SE', 'an ended session was brought back by a write');
      },
      RL: async (cell) => {
        const limit = cell.subject.rateLimit('r', '5 per day');
        await limit.consume('s');
        await endAll(cell, 'rate-limit');
        await askOnce(cell, () => limit.consume('s'), nothing);
        await expectEnds(cell, 'rate-limit');
      },
      MA: async (cell) => {
        const map = cell.subject.map<number>('m');
        await map.set('k', 1, { ttl: '1h' });
        await endAll(cell, 'map');
        await askOnce(
          cell,
          () => map.update('k', (value) => (value ?? 10) + 1, { ttl: '1h' }),
          (value) => (value === 11 ? 'OK' : '!!'),
        );
        await expectEnds(cell, 'map');
      },
      LO: async (cell) => {
        const held = await cell.subject.lock('l', { lease: '1s' }).acquire();
        await endAll(cell, 'lock');
        for (let n = 0; n < 150 && held?.signal.aborted === false; n += 1) await pause(20);
        expectThat(cell, held?.signal.aborted === true, 'LE', 'the holder of a lock that ended was not told');
      },
      CN: async (cell) => {
        const counter = cell.subject.counter('c', { ttl: '1h' });
        await counter.add();
        await endAll(cell, 'counter');
        await askOnce(
          cell,
          () => counter.add(),
          (value) => (value === 1 ? 'OK' : '!!'),
        );
        await expectEnds(cell, 'counter');
      },
    },
  },
];

async function keysOf({ world }: Cell, feature: string): Promise<string[]> {
  return (await world.server.command('KEYS', `faults:${feature}:*`)) as string[];
}

async function replaceByLists(cell: Cell, feature: string): Promise<void> {
  for (const key of await keysOf(cell, feature)) {
    await cell.world.server.command('DEL', key);
    await cell.world.server.command('LPUSH', key, 'x');
  }
}

async function endAll(cell: Cell, feature: string): Promise<void> {
  for (const key of await keysOf(cell, feature)) await cell.world.server.command('PEXPIRE', key, '5');
  await pause(20);
}

async function expectEnds(cell: Cell, feature: string): Promise<void> {
  for (const key of await keysOf(cell, feature)) {
    const leftMs = Number(await cell.world.server.command('PTTL', key));
    expectThat(cell, leftMs > 0, 'OK', `${key} has no end`);
  }
}
