import { pause } from '../../src/testing/waiting.js';
import { expectThat } from './cells.js';
import type { CallFault } from './fault.js';

/** What is done, or comes, a second time. */
export const faultsOfRepetition: readonly CallFault[] = [
  {
    id: 'F33',
    title: 'everything comes twice',
    how: 'each call is made twice with one id, each message published twice',
    expected: { CA: 'OK', SE: 'OK', RL: 'OK', MA: 'OK', LO: 'OK', QU: 'OK', PS: 'OK', PR: 'OK', CN: 'OK', US: 'OK' },
    cells: {
      CA: async (cell) => {
        const cache = cell.subject.cache<number>('c');
        await cache.set('k', 1);
        await cache.set('k', 1);
        expectThat(cell, (await cache.get('k')) === 1, 'OK', 'a value set twice is another');
      },
      SE: async (cell) => {
        const sessions = cell.subject.sessions('s');
        const { token } = await sessions.create({ user: 'ada' });
        await sessions.revoke(token);
        await sessions.revoke(token);
        expectThat(cell, (await sessions.read(token)).session === undefined, 'OK', 'revoked twice, and read');
      },
      RL: async (cell) => {
        const limit = cell.subject.rateLimit('r', '5 per day');
        await limit.consume('s', { operationId: 'a' });
        await limit.consume('s', { operationId: 'a' });
        expectThat(cell, (await limit.peek('s')).remaining === 4, 'OK', 'a hit counted twice');
      },
      MA: async (cell) => {
        const map = cell.subject.map<number>('m');
        const added = [await map.add('k', 1), await map.add('k', 2)];
        expectThat(cell, added.join() === 'true,false' && (await map.get('k')) === 1, 'OK', 'an entry was added twice');
      },
      LO: async (cell) => {
        const held = await cell.subject.lock('l').tryAcquire();
        const released = [await held?.release(), await held?.release()];
        expectThat(cell, released.join() === 'true,false', 'OK', 'a lock was released twice');
      },
      QU: async (cell) => {
        let runs = 0;
        const queue = cell.subject.queue<number>('q');
        await queue.add(1, { id: 'a' });
        await queue.add(1, { id: 'a' });
        queue.work(() => void (runs += 1));
        await pause(500);
        expectThat(cell, runs === 1, 'OK', `a job ran ${runs} times`);
      },
      PS: async (cell) => {
        const heard: number[] = [];
        const channel = cell.subject.channel<number>('p');
        await channel.subscribe((message) => void heard.push(message));
        const first = await channel.publish(1);
        const second = await channel.publish(2);
        await cell.world.server.command('PUBLISH', 'faults:channel:{p}', `${first} ${second}\n2`);
        await channel.publish(3);
        for (let n = 0; n < 100 && !heard.includes(3); n += 1) await pause(20);
        expectThat(cell, heard.join() === '1,2,3', 'OK', `heard ${heard.join()}`);
      },
      PR: async (cell) => {
        const presence = cell.subject.presence('p');
        await presence.join({ id: 'a', region: 'r' });
        await presence.join({ id: 'a', region: 'r' });
        expectThat(cell, (await presence.members('r')).length === 1, 'OK', 'a member is there twice');
      },
      CN: async (cell) => {
        const counter = cell.subject.counter('c');
        await counter.add(1, { operationId: 'a' });
        await counter.add(1, { operationId: 'a' });
        expectThat(cell, (await counter.get()) === 1, 'OK', 'an add counted twice');
      },
      US: async (cell) => {
        const set = cell.subject.uniqueSet('u');
        const added = [await set.add('a'), await set.add('a')];
        expectThat(cell, added.join() === '1,0', 'OK', 'a member was added twice');
      },
    },
  },
];
