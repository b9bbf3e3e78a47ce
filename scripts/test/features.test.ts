import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as testing from '../../packages/commonhold/src/testing/index.js';
import { collectTests, engines, featureFolders, featureOf, shapeOf, tableOf } from '../features.mjs';

const page = shapeOf(readFileSync(join(import.meta.dirname, '../../docs/engines.md'), 'utf8'));
const tests = collectTests(testing, () => testing.memoryEngine);

describe('npm run features', () => {
  it.each([
    ['cacheConformance', 'cache'],
    ['cacheTagConformance', 'cache'],
    ['rateLimitWaitConformance', 'rate-limit'],
    ['uniqueSetConformance', 'unique-set'],
    ['namespaceConformance', 'all features'],
  ])('counts %s to %s', (suite, feature) => {
    expect(featureOf(suite, featureFolders())).toBe(feature);
  });

  it('finds a suite for every feature', () => {
    const found = new Set(tests.map(({ feature }) => feature));
    expect(featureFolders().filter((feature) => !found.has(feature))).toEqual([]);
  });

  it('shows what failed as such', () => {
    const cell = { passed: 2, failed: ['why'] };
    const columns = engines.map(() => new Map([['lock', cell]]));
    expect(tableOf(columns).split('\n')[2]).toBe(`| lock |${' 2 of 3 |'.repeat(engines.length)}`);
  });
});

describe('docs/engines.md', () => {
  it('has every engine, and every feature that has a suite', () => {
    expect(page.engines).toEqual(engines.map(({ name }) => name));
    expect(page.features).toEqual([...new Set(tests.map(({ feature }) => feature))].toSorted());
  });

  it('has a number in every cell, and no failure', () => {
    expect(page.rows.flatMap((row) => row.slice(1)).filter((cell) => !/^\d+$/.test(cell))).toEqual([]);
  });
});
