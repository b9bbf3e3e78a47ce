import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const packageRoot = join(import.meta.dirname, '../..');
const page = readFileSync(join(packageRoot, '../../docs/commands.md'), 'utf8');
const filesEnding = (folder: string, end: string): string[] =>
  readdirSync(join(packageRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(end))
    .map((file) => join(packageRoot, folder, file));

describe('docs/commands.md', async () => {
  const tables = new Map<string, Record<string, { readonly name: string }>>();
  for (const file of filesEnding('src', '-operations.ts')) {
    const exported = (await import(file)) as Record<string, Record<string, { readonly name: string }>>;
    for (const [name, table] of Object.entries(exported)) {
      if (typeof table === 'object') tables.set(name, table);
    }
  }

  it('has a row for each operation, and for nothing else', () => {
    const operations = [...tables.values()].flatMap((table) => Object.values(table).map(({ name }) => name));
    const rows = [...page.matchAll(/^\| ([a-zA-Z-]+\.[a-zA-Z]+) \|/gm)].map(([, name]) => name);
    expect(rows).toEqual(operations.toSorted());
  });

  it('is compared with what a model check sends, for each table of operations', () => {
    const models = filesEnding('test', '-model.test.ts').map((file) => readFileSync(file, 'utf8'));
    const unchecked = [...tables.keys()].filter(
      (table) => !models.some((text) => text.includes(`checkCommands(${table})`)),
    );
    expect(unchecked).toEqual([]);
  });
});
