import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const packageRoot = join(import.meta.dirname, '../..');
const page = readFileSync(join(packageRoot, '../../docs/guarantees.md'), 'utf8');

/** A promise or fault that a test names in front of its title. */
const promise = /(\(['`])(?:[A-Z]+\d*[0-9.]*(?:, )?)+: /g;

function readAll(folder: string): string {
  const files = readdirSync(join(packageRoot, folder), { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(packageRoot, folder, file), 'utf8'))
    .join('\n');
}

describe('docs/guarantees.md', () => {
  const tests = `${readAll('test')}${readAll('src/testing')}`.replace(promise, '$1');
  const rows = [...page.matchAll(/^\| (?!what|---)(.+?) \| (.+) \|$/gm)];

  it.each(rows.map(([, what = '', shown = '']) => [what, shown] as const))('%s: its tests exist', (_, shown) => {
    const titles = [...shown.matchAll(/"([^"]+)"/g)].map(([, title = '']) => title);
    expect(titles).not.toEqual([]);
    expect(titles.filter((title) => !tests.includes(`('${title}'`) && !tests.includes(`(\`${title}\``))).toEqual([]);
  });
});
