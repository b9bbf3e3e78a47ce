import fc from 'fast-check';
import { describe } from 'vitest';
import type { Ports } from '../../src/backend/backend.js';
import type { ChannelAddress } from '../../src/channel/channel-port.js';
import type { StoredMessage } from '../../src/message-frame.js';
import { channelOperations } from '../../src/channel/channel-operations.js';
import type { ModelStep } from '../../src/testing/model.js';
import { checkCommands, checkKeys, checkModel } from '../model-check.js';

/** The ids that one engine gave, by channel: they hold its time, so answers are compared by their places in this list. */
const given = new WeakMap<Ports, Map<string, string[]>>();

function idsOf(ports: Ports, { name }: ChannelAddress): string[] {
  const channels = given.get(ports) ?? new Map<string, string[]>();
  given.set(ports, channels);
  const ids = channels.get(name) ?? ['0-0'];
  channels.set(name, ids);
  return ids;
}

function placed(ids: readonly string[], messages: readonly StoredMessage[]): unknown {
  return messages.map(({ id, previous, body }) => ({ id: ids.indexOf(id), previous: ids.indexOf(previous), body }));
}

const address = fc.constantFrom<ChannelAddress>({ name: 'a', prefix: undefined }, { name: 'b*', prefix: undefined });
// Time moves in whole seconds and lifetimes end between them, so that the milliseconds a real server takes decide nothing.
const rules = fc.record({
  keepMs: fc.constantFrom(2_500, 5_500),
  keepCount: fc.constantFrom(1, 3, 5),
  format: fc.constantFrom('framed' as const, 'json' as const),
});
const body = fc.constantFrom('{}', '{"a":1}', Buffer.from('{"b":2}'));

const steps: fc.Arbitrary<ModelStep> = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom(1_000, 3_000).map((ms) => ({ label: `advance ${ms}`, advanceMs: ms })) },
  {
    weight: 3,
    arbitrary: fc.tuple(address, body, rules).map(([to, b, rule]) => ({
      label: `append ${to.name} ${b.toString()} ${JSON.stringify(rule)}`,
      run: async (ports: Ports) => {
        const id = await ports.channel.append(to, b, rule);
        return idsOf(ports, to).push(id);
      },
    })),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(address, fc.nat(8), fc.constantFrom(1, 2, 10)).map(([from, back, limit]) => ({
      label: `read ${from.name} from ${back} back, ${limit}`,
      run: async (ports: Ports) => {
        const ids = idsOf(ports, from);
        return placed(ids, await ports.channel.read(from, ids.at(-1 - back) ?? '0-0', limit));
      },
    })),
  },
  {
    weight: 1,
    arbitrary: address.map((of) => ({
      label: `newest ${of.name}`,
      run: async (ports: Ports) => {
        const newest = await ports.channel.newest(of);
        return newest === undefined ? 'none' : idsOf(ports, of).indexOf(newest);
      },
    })),
  },
);

describe('channel model', () => checkModel(steps));
describe('commands of channel', () => checkCommands(channelOperations));
describe('keys of channel', () => checkKeys('<ns>:channel:'));
