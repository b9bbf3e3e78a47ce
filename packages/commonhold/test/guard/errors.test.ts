import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as errors from '../../src/errors.js';

const source = readFileSync(new URL('../../src/errors.ts', import.meta.url), 'utf8');
const manual = readFileSync(new URL('../../../../docs/errors.md', import.meta.url), 'utf8');

/** The members of the ErrorCode union, as the source writes them. */
function codesOfUnion(text: string): string[] {
  const union = /export type ErrorCode =([^;]*);/.exec(text)?.[1] ?? '';
  return [...union.matchAll(/'(\w+)'/g)].map(([, code = '']) => code);
}

/** Second-level headings, one a code. */
function codesOfManual(text: string): string[] {
  return [...text.matchAll(/^## (\S+)$/gm)].map(([, code = '']) => code);
}

/** Codes by the class that carries them; a class without its own literal code is left out. */
function codesOfClasses(text: string): Map<string, string> {
  const classes = text.matchAll(/^export class (\w+) extends CommonholdError \{([\s\S]*?)^\}/gm);
  return new Map(
    [...classes].map(([, name = '', body = '']) => [name, /readonly code = '(\w+)'/.exec(body)?.[1] ?? '']),
  );
}

const codes = codesOfUnion(source);

describe('the error codes', () => {
  it('are found in the source', () => {
    expect(codes.length).toBeGreaterThan(5);
    expect(new Set(codes).size).toBe(codes.length);
  });

  it('are the headings of docs/errors.md, both ways', () => {
    expect(codesOfManual(manual).toSorted()).toEqual(codes.toSorted());
  });

  it('belong to one class each, named after the code', () => {
    expect(codesOfClasses(source)).toEqual(new Map(codes.map((code) => [`${code}Error`, code])));
  });

  it.each(codes)('%s: its class exists, its manual entry names it, and it is recognised', (code) => {
    const className = `${code}Error`;
    expect(errors).toHaveProperty(className);
    expect(manual).toContain(`**Class** \`${className}\`.`);
    expect(errors.isCommonholdError(Object.assign(new Error('copy'), { code }))).toBe(true);
  });

  it('does not recognise a code that is not listed', () => {
    expect(errors.isCommonholdError(Object.assign(new Error('other'), { code: 'ENOENT' }))).toBe(false);
  });
});

describe('the readers of this guard', () => {
  it('see an undocumented code', () => {
    expect(codesOfManual('# Errors\n\n## Closed\n\ntext\n')).toEqual(['Closed']);
    expect(codesOfUnion("export type ErrorCode = 'Closed' | 'Planted';")).toEqual(['Closed', 'Planted']);
  });

  it('see a class without a code', () => {
    const planted = 'export class PlantedError extends CommonholdError {\n  readonly x = 1;\n}\n';
    expect(codesOfClasses(planted)).toEqual(new Map([['PlantedError', '']]));
  });
});
