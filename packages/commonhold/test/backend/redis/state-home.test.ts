import { describe, expect, it } from 'vitest';
import { parseServerFacts, type ServerFacts } from '../../../src/backend/redis/server-facts.js';
import { StateHome } from '../../../src/backend/redis/state-home.js';

function facts(history: string, formerHistory: string = '0'.repeat(40)): ServerFacts {
  return { ...parseServerFacts(''), history, formerHistory };
}

/** A home that met the primary, with history `a`. */
function withPrimary(): StateHome {
  const home = new StateHome();
  home.met('primary', facts('a'), true);
  return home;
}

describe('the server that has the state', () => {
  it('is the primary, whatever became of its data', () => {
    const home = withPrimary();
    home.met('primary', facts('z'), false);
    expect([home.name, home.mayMoveTo('primary', facts('y'))]).toEqual(['primary', true]);
  });

  it('is the replica that was promoted when it is in use', () => {
    const home = withPrimary();
    home.met('fallback 1', facts('b', 'a'), false);
    expect(home.name).toBe('primary');
    home.met('fallback 1', facts('b', 'a'), true);
    expect(home.name).toBe('fallback 1');
    expect(home.mayMoveTo('primary', facts('a'))).toBe(false);
    expect(home.mayMoveTo('primary', facts('c', 'b'))).toBe(true);
  });

  it('is not one that has nothing to do with it, though it is in use', () => {
    const home = withPrimary();
    home.met('fallback 1', facts('x', 'y'), true);
    expect(home.name).toBe('primary');
  });

  it('is followed by nobody as long as its history is not known', () => {
    expect(new StateHome().mayMoveTo('fallback 1', facts('', ''))).toBe(false);
  });
});
