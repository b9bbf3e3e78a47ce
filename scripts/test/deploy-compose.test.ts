import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { root } from './planted.js';

interface Service {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly user?: string;
  readonly command?: readonly string[];
  readonly profiles?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly networks?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly cpus?: number;
  readonly mem_limit?: string;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks?: Readonly<Record<string, { readonly internal?: boolean } | null>>;
  readonly volumes?: Readonly<Record<string, unknown>>;
}

const deploy = join(root, 'deploy');
const read = (name: string): string => readFileSync(join(deploy, name), 'utf8');
const compose = (name: string): Compose => parse(read(name), { merge: true }) as Compose;

const production = compose('docker-compose.prod.yml');
const development = compose('docker-compose.dev.yml');

function service(name: string): Service {
  const found = production.services[name];
  if (found === undefined) throw new Error(`docker-compose.prod.yml has no service ${name}`);
  return found;
}

/** Variables that a file of compose takes from its environment. */
function variablesOf(name: string): Set<string> {
  return new Set([...read(name).matchAll(/(?<!\$)\$\{([A-Z_]+)/g)].map((match) => String(match[1])));
}

/** Variables that an example of an environment sets. */
function variablesSet(name: string): Set<string> {
  return new Set([...read(name).matchAll(/^([A-Z_]+)=/gm)].map((match) => String(match[1])));
}

describe('docker-compose.prod.yml', () => {
  it('S0.17, S2.20: runs three servers that differ in name alone, behind nginx', () => {
    const apps = ['app1', 'app2', 'app3'].map(service);
    const names = apps.map(({ environment }) => environment?.['CONTAINER_ID']);
    expect(names).toEqual(['container-1', 'container-2', 'container-3']);
    for (const app of apps) {
      expect({ ...app, environment: { ...app.environment, CONTAINER_ID: '' } }).toEqual({
        ...apps[0],
        environment: { ...apps[0]?.environment, CONTAINER_ID: '' },
      });
      expect(app.volumes).toEqual(['data:/data']);
      expect(app).toMatchObject({ cpus: 2, mem_limit: '4g' });
    }
    const upstream = [...read('nginx.conf').matchAll(/server (app\d):5000 /g)].map((match) => match[1]);
    expect(upstream).toEqual(['app1', 'app2', 'app3']);
    expect(Object.keys(service('nginx').depends_on ?? {})).toEqual(upstream);
  });

  it('publishes nginx and nothing else, and keeps stores on a network without a way out', () => {
    const published = Object.entries(production.services).filter(([, { ports }]) => ports !== undefined);
    expect(published.map(([name]) => name)).toEqual(['nginx']);
    expect(service('nginx').ports).toEqual(['${HTTP_PORT:-80}:8080']);
    expect(production.networks?.['back']).toEqual({ internal: true });
    for (const name of ['redis-state', 'redis-cache', 'postgres']) expect(service(name).networks).toEqual(['back']);
    expect(service('nginx').networks).toEqual(['front']);
  });

  it('checks the health of everything, and starts in the order of need', () => {
    const dockerfile = read('Dockerfile');
    for (const [name, { healthcheck, build }] of Object.entries(production.services)) {
      const checked = healthcheck?.test !== undefined || (build !== undefined && dockerfile.includes('HEALTHCHECK'));
      expect(checked, name).toBe(true);
    }
    for (const { depends_on: needs } of Object.values(production.services)) {
      for (const { condition } of Object.values(needs ?? {})) expect(condition).toBe('service_healthy');
    }
    expect(Object.keys(service('app1').depends_on ?? {})).toEqual(['redis-state', 'postgres']);
  });

  it('gives no container more than it needs', () => {
    for (const [name, one] of Object.entries(production.services)) {
      expect(one, name).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      });
    }
    expect(read('Dockerfile')).toMatch(/^USER node$/m);
    expect([service('redis-state').user, service('postgres').user]).toEqual(['redis', 'postgres']);
  });

  it('points the servers at the Redis that evicts nothing; the one that evicts only runs when asked for', () => {
    const url = service('app1').environment?.['REDIS_URL'] ?? '';
    expect(url).toMatch(/^redis:\/\/commonhold:\$\{REDIS_PASSWORD:\?[^}]+\}@redis-state:6379\/0$/);
    expect(service('redis-state').command?.at(-1)).toBe('redis-state.conf');
    expect(service('redis-cache').command?.at(-1)).toBe('redis-cache.conf');
    expect([service('redis-state').profiles, service('redis-cache').profiles]).toEqual([undefined, ['cache']]);
    expect(service('redis-state').volumes).toContain('redis-state:/data');
  });

  it('mounts files that are there, and none that hold secrets', () => {
    for (const [name, { volumes = [] }] of Object.entries(production.services)) {
      for (const [source = ''] of volumes.map((volume) => volume.split(':'))) {
        if (!source.startsWith('.')) expect(Object.keys(production.volumes ?? {}), name).toContain(source);
        else expect(existsSync(join(deploy, source)) && source !== './', `${name}: ${source}`).toBe(true);
      }
    }
  });

  it('has no secret of its own: each must be given', () => {
    const text = read('docker-compose.prod.yml');
    for (const name of ['REDIS_PASSWORD', 'POSTGRES_PASSWORD', 'ADMIN_TOKEN']) {
      const uses = [...text.matchAll(new RegExp(`(?<!\\$)\\$\\{${name}([^}]*)\\}`, 'g'))];
      expect(uses.length).toBeGreaterThan(0);
      for (const [, rest] of uses) expect(rest).toMatch(/^:\?/);
    }
  });
});

describe('docker-compose.dev.yml', () => {
  it('S0.17, S0.1: is one server in memory, for this machine alone', () => {
    expect(Object.keys(development.services)).toEqual(['app']);
    const { app } = development.services;
    expect(app?.ports).toEqual(['127.0.0.1:${PORT:-5000}:5000']);
    expect(app?.environment).toMatchObject({ NODE_ENV: 'development', USE_REDIS: '${USE_REDIS:-false}' });
    expect(read('docker-compose.dev.yml')).not.toMatch(/^\s+image: redis/m);
  });
});

describe('the examples of environments', () => {
  it.each([
    ['docker-compose.dev.yml', '.env.dev.example', ['ADMIN_TOKEN']],
    ['docker-compose.prod.yml', '.env.prod.example', []],
  ])('%s is served by %s', (file, example, besides) => {
    expect(new Set([...variablesSet(example), ...besides])).toEqual(variablesOf(file));
  });

  it('are the only environments in version control', () => {
    const ignored = read('.gitignore').trim().split('\n');
    expect(ignored).toEqual(['.env.*', '!.env.*.example']);
    expect(readdirSync(deploy).filter((name) => name.startsWith('.env') && name.endsWith('.example'))).toHaveLength(2);
    expect(read('.env.prod.example')).not.toMatch(/^(?:REDIS_PASSWORD|POSTGRES_PASSWORD|ADMIN_TOKEN)=\S/m);
  });
});
