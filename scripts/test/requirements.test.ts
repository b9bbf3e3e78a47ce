import { describe, expect, it } from 'vitest';
import { gaps, namedIn, parseRequirements, strangers } from '../requirements.mjs';

const list = parseRequirements(`# Title

- S0.1: One switch,
  said on two lines.
- S0.2: Variables.
  Reason: nothing to run.
- X.3: Health.
  Later: with the
  next step.
- S4.10: Tokens.
`);

describe('the table of requirements', () => {
  it('takes each line with its note', () => {
    expect(list).toEqual([
      { id: 'S0.1', text: 'One switch, said on two lines.', reason: undefined, later: undefined },
      { id: 'S0.2', text: 'Variables.', reason: 'nothing to run.', later: undefined },
      { id: 'X.3', text: 'Health.', reason: undefined, later: 'with the next step.' },
      { id: 'S4.10', text: 'Tokens.', reason: undefined, later: undefined },
    ]);
  });

  it('finds ids in titles, and none in code or longer numbers', () => {
    const source = `it('S0.1, S4.10: a session', () => expect(S0.2).toBe(1));\nit("XS0.1 is none", run); // S1.1`;
    const tests = namedIn('a.test.ts', source);
    expect([...tests.keys()]).toEqual(['S0.1', 'S4.10']);
    expect(tests.get('S0.1')).toEqual([{ file: 'a.test.ts', title: 'S0.1, S4.10: a session' }]);
    expect(namedIn('a.test.ts', "it('S4.1: x')").has('S4.10')).toBe(false);
  });

  it('has a gap where there is neither test nor note, and knows its strangers', () => {
    expect(gaps(list, new Map()).map(({ id }) => id)).toEqual(['S0.1', 'S4.10']);
    // In one piece it would be a stranger itself.
    const stranger = ['S4', '77'].join('.');
    const tests = namedIn('a.test.ts', `it('S0.1: x'); it('S4.10: y'); it('S9.9 and ${stranger}: z')`);
    expect(gaps(list, tests)).toEqual([]);
    expect(strangers(list, tests)).toEqual([stranger]);
  });
});
