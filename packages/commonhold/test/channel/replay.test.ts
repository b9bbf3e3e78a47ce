import { describe, expect, it } from 'vitest';
import { type Position, replay } from '../../src/channel/replay.js';
import type { StoredMessage } from '../../src/message-frame.js';

const keepMs = 1_000;

function message(id: string, previous: string): StoredMessage {
  return { id, previous, body: id };
}

async function read(position: Partial<Position>, stream: readonly StoredMessage[], limit = 10) {
  const ms = (id: string): number => Number(id.replace('-', '.'));
  const reads: string[] = [];
  const found = await replay(
    async (from, count) => {
      reads.push(from);
      return stream.filter(({ id }) => ms(id) >= ms(from)).slice(0, count);
    },
    { id: '5000-0', keepMs, unseenMs: 0, silentMs: 0, ...position },
    limit,
  );
  return { ids: found.messages.map(({ id }) => id), complete: found.complete, reads: reads.length };
}

describe('replay', () => {
  const [first, second, third] = [message('5000-0', '0-0'), message('6000-0', '5000-0'), message('7000-0', '6000-0')];

  it.each([
    ['the last one seen is still there', {}, [first, second], ['6000-0'], true],
    ['it is the newest', {}, [first], [], true],
    ['it is gone, and the next one names it', {}, [second, third], ['6000-0', '7000-0'], true],
    ['the next one is gone too', {}, [third], ['7000-0'], false],
    ['nothing was seen, and the beginning is there', { id: '0-0' }, [first, second], ['5000-0', '6000-0'], true],
    ['nothing was seen, and the beginning is gone', { id: '0-0' }, [second], ['6000-0'], false],
    ['nothing was seen, and nothing is there', { id: '0-0' }, [], [], true],
    ['nothing was seen for longer than is kept', { id: '0-0', unseenMs: keepMs + 1 }, [], [], false],
    ['a new beginning comes too soon for old age', {}, [message('6000-0', '0-0')], ['6000-0'], false],
    ['a new beginning comes after old age', {}, [message('6001-0', '0-0')], ['6001-0'], true],
    ['it does, but much may have gone unseen', { unseenMs: Infinity }, [message('6001-0', '0-0')], ['6001-0'], false],
    ['all is gone too soon for old age', { silentMs: keepMs }, [], [], false],
    ['all is gone of old age', { silentMs: keepMs + 1 }, [], [], true],
    ['all is gone, and much may have gone unseen', { silentMs: Infinity, unseenMs: Infinity }, [], [], false],
    ['ids went back', {}, [message('10-0', '0-0'), message('11-0', '10-0')], ['10-0', '11-0'], false],
    ['ids went back and passed it', {}, [message('10-0', '0-0'), message('5001-0', '10-0')], ['5001-0'], false],
  ])('%s', async (_, position, stream, ids, complete) => {
    expect(await read(position, stream)).toMatchObject({ ids, complete });
  });

  it('reads once, and a second time only when there is nothing to go on from', async () => {
    expect((await read({}, [first, second])).reads).toBe(1);
    expect((await read({}, [third])).reads).toBe(1);
    expect((await read({}, [message('10-0', '0-0')])).reads).toBe(2);
  });

  it('gives a full page whether or not the last one seen is still there', async () => {
    expect((await read({}, [first, second, third], 1)).ids).toEqual(['6000-0']);
    expect((await read({}, [second, third], 1)).ids).toEqual(['6000-0']);
  });
});
