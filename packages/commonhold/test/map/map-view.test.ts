import { describe, expect, it } from 'vitest';
import type { MapChange, MapEntry } from '../../src/map/map-entry.js';
import { MapView } from '../../src/map/map-view.js';

const rest = { owner: 'o', expiresAtMs: undefined };

function entry(key: string, version: number): MapEntry<number> {
  return { key, value: version, version, ...rest };
}

function set(key: string, version: number): MapChange<number> {
  return { type: 'set', key, value: version, version, ...rest };
}

function remove(key: string, version: number): MapChange<number> {
  return { type: 'delete', key, version, owner: 'o' };
}

function shown(view: MapView<number>): Record<string, number> {
  return Object.fromEntries([...view.entries].map(([key, { value }]) => [key, value]));
}

describe('a view of a map', () => {
  it('keeps the newer of two, whichever way and in whichever order they come', () => {
    const view = new MapView<number>();
    view.apply(set('a', 5));
    view.read(entry('a', 4));
    view.read(entry('b', 3));
    view.apply(set('b', 6));
    view.apply(set('b', 2));
    expect(shown(view)).toEqual({ a: 5, b: 6 });
  });

  it('does not bring back what was removed while its page was on the way', () => {
    const view = new MapView<number>();
    view.raiseFloor(4);
    view.apply(remove('a', 5));
    view.read(entry('a', 4));
    view.apply(set('b', 6));
    view.apply({ type: 'clear', version: 7, owner: 'o' });
    view.read(entry('b', 6));
    view.read(entry('c', 3));
    view.read(entry('d', 8));
    view.settle();
    expect(shown(view)).toEqual({ d: 8 });
  });

  it('takes removals that the pages hold already: something older may have been set here before they began', () => {
    const view = new MapView<number>();
    view.apply(set('a', 1));
    view.apply(set('b', 2));
    view.raiseFloor(4);
    view.apply(remove('a', 3));
    view.apply({ type: 'clear', version: 4, owner: 'o' });
    view.settle();
    expect(shown(view)).toEqual({});
  });

  it('does not go back to what was set before the pages began', () => {
    const view = new MapView<number>();
    view.raiseFloor(4);
    view.settle();
    view.apply(set('a', 3));
    expect(shown(view)).toEqual({});
    view.apply(set('a', 5));
    expect(shown(view)).toEqual({ a: 5 });
  });

  it('drops what has ended', () => {
    const view = new MapView<number>();
    view.read(entry('a', 1));
    view.drop('a');
    view.drop('b');
    expect(shown(view)).toEqual({});
  });
});
