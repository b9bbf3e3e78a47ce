import { describe, expect, it } from 'vitest';
import { guards } from '../guards/index.mjs';
import { readTree } from '../guards/source-file.mjs';
import { root } from './planted.js';

describe('this repository', () => {
  const files = readTree(root);

  it('is read whole', () => {
    const paths = files.map((file) => file.path);
    expect(paths).toContain('scripts/bootstrap.mjs');
    expect(paths).toContain('packages/commonhold/src/clock.ts');
    expect(paths.some((path) => path.includes('node_modules/'))).toBe(false);
  });

  it.each(guards.map((guard) => [guard.name, guard] as const))('%s finds nothing', (_name, guard) => {
    expect(guard(files)).toEqual([]);
  });
});
