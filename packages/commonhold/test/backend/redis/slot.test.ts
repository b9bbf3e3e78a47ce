import { describe, expect, it } from 'vitest';
import { slotOf } from '../../../src/backend/redis/slot.js';
import { useServer } from '../../engines.js';

describe('slotOf', () => {
  const server = useServer({ cluster: true });

  it.each([
    '',
    'a',
    '123456789',
    '{a}b',
    'b{a}',
    '{}a',
    'a{}{b}',
    '{a',
    'a}',
    '{{a}}',
    'é',
    '{é}x',
    'ns:map:{m\ud83d\ude00}:x',
  ])('agrees with the server about %j', async (key) => {
    expect(slotOf(key)).toBe(await server().command('CLUSTER', 'KEYSLOT', key));
  });
});
