import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from './planted.js';

const text = readFileSync(join(root, 'docs/deploy.md'), 'utf8');

/** The part of the guide under a heading. */
function section(title: string): string {
  const part = text.split(/^## /m).find((one) => one.startsWith(`${title}\n`));
  if (part === undefined) throw new Error(`docs/deploy.md has no section ${title}`);
  return part;
}

describe('docs/deploy.md', () => {
  it('names files and scripts that are there', () => {
    const files = [...text.matchAll(/\bdeploy\/[\w.-]+\.(?:yml|conf|acl|sh|example)\b/g)].map(([path]) => path);
    const links = [...text.matchAll(/\]\(\.\.\/([^)]+)\)/g)].map((match) => String(match[1]));
    expect(files.length).toBeGreaterThan(3);
    for (const path of [...files, ...links]) expect(existsSync(join(root, path)), path).toBe(true);
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object };
    for (const [, name = ''] of text.matchAll(/npm (?:run )?(start|topology)\b/g)) expect(scripts).toHaveProperty(name);
  });

  it('S0.17: has the containers of Azure in their sizes, and its cache with TLS', () => {
    const places = section('Places');
    expect(places).toMatch(/redis:7-alpine \\\n +--cpu 0\.5 --memory 1\.0/);
    expect(places).toMatch(/--cpu 2 --memory 4 /);
    expect(places).toMatch(/\.redis\.cache\.windows\.net REDIS_PORT=6380/);
  });

  it('S0.19, S2.22: leads from development to production in steps', () => {
    const steps = section('From development to production').match(/^\d\. /gm);
    expect(steps?.length).toBeGreaterThanOrEqual(5);
    expect(section('Variables')).toMatch(/`PORT`, `HOST` \| where a server listens \| 5000/);
  });

  it.each(['KEYS *', 'GET rose:session:<id>', 'GET rose:persistent_data', 'MONITOR', 'docker logs'])(
    'S0.18: says what does the work of %s',
    (words) => expect(section('Looking inside')).toContain(words),
  );

  it.each([
    ['S2.22', 'MissingDependency'],
    ['S2.22', 'not visible at another'],
    ['S2.22', 'firewall'],
    ['S4.20', 'does not start'],
    ['S4.20', 'CONFIG GET bind'],
    ['S4.20', 'CONFIG SET maxmemory'],
    ['S4.20', 'SLOWLOG'],
    ['S0.18', 'USE_REDIS'],
  ])('%s: helps with %s', (_requirement, words) => expect(section('When something is wrong')).toContain(words));
});
