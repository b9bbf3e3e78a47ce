import { describe, expect, it } from 'vitest';
import { readSettings } from '../src/settings.js';

describe('settings', () => {
  it('have defaults, and an empty variable is an unset one', () => {
    const expected = { databaseUrl: undefined, layout: 'compact', keyPrefix: 'road', silenceMs: 300_000 };
    expect(readSettings({})).toEqual(expected);
    const names = ['DATABASE_URL', 'ROAD_KEY_LAYOUT', 'ROAD_KEY_PREFIX', 'ROAD_SILENCE_SECONDS'];
    expect(readSettings(Object.fromEntries(names.map((name) => [name, ' '])))).toEqual(expected);
  });

  it('are read', () => {
    expect(
      readSettings({
        DATABASE_URL: 'postgresql://road:secret@db/road?sslmode=require',
        ROAD_KEY_LAYOUT: 'documented',
        ROAD_KEY_PREFIX: '{road}',
        ROAD_SILENCE_SECONDS: '20',
      }),
    ).toEqual({
      databaseUrl: 'postgresql://road:secret@db/road?sslmode=require',
      layout: 'documented',
      keyPrefix: '{road}',
      silenceMs: 20_000,
    });
  });

  it.each([
    ['DATABASE_URL', 'mysql://road:secret@db/road'],
    ['DATABASE_URL', 'secret'],
    ['ROAD_KEY_LAYOUT', 'plain'],
    ['ROAD_SILENCE_SECONDS', '9'],
    ['ROAD_SILENCE_SECONDS', '1.5'],
    ['ROAD_SILENCE_SECONDS', '86401'],
    ['ROAD_SILENCE_SECONDS', '-1'],
  ])('refuse %s=%s, naming the variable and no secret', (name, value) => {
    const read = (): unknown => readSettings({ [name]: value });
    expect(read).toThrow(name);
    expect(read).not.toThrow('secret');
  });
});
