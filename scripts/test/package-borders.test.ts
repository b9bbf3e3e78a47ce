import { describe, expect, it } from 'vitest';
import { guardPackageBorders } from '../guards/package-borders.mjs';
import { objections } from './planted.js';

const manifests = {
  'packages/commonhold/package.json': '{ "name": "commonhold", "exports": { ".": "./x", "./testing": "./y" } }',
  'packages/server/package.json': '{ "name": "@commonhold/server" }',
  'examples/ocr-platform/package.json': '{ "name": "@commonhold/ocr-platform" }',
};

function verdict(path: string, statement: string): string[] {
  return objections(guardPackageBorders, { ...manifests, [path]: statement });
}

describe('guardPackageBorders', () => {
  it.each([
    ['packages/server/src/main.ts', "import { openState } from 'commonhold'"],
    ['packages/server/src/main.ts', "import { x } from './routes/health.js'"],
    ['packages/server/src/main.ts', "import { x } from '@commonhold/ocr-platform'"],
    ['packages/server/src/main.ts', "import fastify from 'fastify'"],
    ['packages/server/test/main.test.ts', "import { x } from 'commonhold/testing'"],
    ['packages/commonhold/test/lock/lock.test.ts', "import { x } from '../../src/lock/lock.js'"],
  ])('allows %s: %s', (path, statement) => {
    expect(verdict(path, statement)).toEqual([]);
  });

  it.each([
    ['packages/server/src/main.ts', "import { x } from '../../commonhold/src/index.js'", 'by name, not by path'],
    [
      'packages/server/src/main.ts',
      "import { x } from '../../../examples/ocr-platform/src/app.js'",
      'by name, not by path',
    ],
    ['packages/server/src/main.ts', "import { x } from 'commonhold/testing'", 'is for tests'],
    ['packages/server/src/main.ts', "import { x } from 'commonhold/dist/keys.js'", 'not among the exports'],
    ['examples/ocr-platform/src/app.ts', "import { x } from '@commonhold/server/dist/app.js'", 'not among the exports'],
    ['examples/ocr-platform/src/app.ts', "import { x } from '../../road-quality/src/app.js'", 'by name, not by path'],
    ['packages/commonhold/src/index.ts', "import { x } from '@commonhold/server'", 'knows nothing of its users'],
  ])('refuses %s: %s', (path, statement, message) => {
    expect(verdict(path, statement)).toEqual([expect.stringContaining(message)]);
  });
});
