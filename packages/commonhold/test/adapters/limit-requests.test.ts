import { expect, it } from 'vitest';
import type { RateLimit } from '../../src/rate-limit/rate-limit.js';
import type { RateLimitRule } from '../../src/rate-limit/rule.js';
import { actions, onEverySite, type Web } from './actions.js';
import type { Browser } from './browser.js';

/** A site of its own state, which limits every request. */
async function limitedSite(
  web: Web,
  rules: Readonly<Record<string, RateLimitRule>>,
  options: { trustedProxies?: string[]; ipv6Prefix?: number } = {},
): Promise<Browser> {
  const state = await web.engine.open();
  const limits = Object.entries(rules).map(([name, rule]): RateLimit => state.rateLimit(name, rule));
  return web.visit({ limits, actions: { ...actions, '/refuse': () => Promise.reject(new Error('no')) }, ...options });
}

const enroll = { enroll: '5 per hour' };

onEverySite((open) => {
  it('S1.8: admits 5 per hour and address over all servers, then answers 429', async () => {
    const web = await open();
    const sites = [await limitedSite(web, enroll), await limitedSite(web, enroll)] as const;
    for (let hit = 1; hit <= 5; hit++) {
      const { status, headers } = await (sites[hit % 2] as Browser).ask('/plain');
      expect(status).toBe(200);
      expect(headers['ratelimit-policy']).toBe('"enroll";q=5;w=3600');
      expect(headers['ratelimit']).toBe(`"enroll";r=${5 - hit};t=3600`);
      expect(headers['retry-after']).toBeUndefined();
    }
    for (const site of sites) {
      const { status, headers, json, cookies } = await site.ask('/set', { body: { visits: 1 } });
      expect(status).toBe(429);
      expect(headers['content-type']).toBe('application/problem+json');
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['ratelimit-policy']).toBe('"enroll";q=5;w=3600');
      expect(headers['ratelimit']).toMatch(/^"enroll";r=0;t=3(?:600|59\d)$/);
      expect(headers['retry-after']).toMatch(/^3(?:600|59\d)$/);
      expect(cookies).toEqual([]);
      expect(json).toEqual({
        type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
        title: 'The quota is exceeded',
        status: 429,
        detail: `At most 5 in 3600 s are allowed. Try again in ${headers['retry-after']} s.`,
        'violated-policies': ['enroll'],
      });
    }
    expect((await sites[0].ask('/plain', { from: '127.0.0.2' })).status).toBe(200);
    await web.engine.advance(3_600_000);
    expect((await sites[1].ask('/plain')).status).toBe(200);
  });

  it('S1.8: never admits more, however many come at once', async () => {
    const web = await open();
    const sites = [await limitedSite(web, enroll), await limitedSite(web, enroll)] as const;
    const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => (sites[n % 2] as Browser).ask('/plain')));
    const count = (status: number): number => answers.filter((answer) => answer.status === status).length;
    expect([count(200), count(429)]).toEqual([5, 35]);
  });

  it('S1.8: counts tries that the handler refuses', async () => {
    const site = await limitedSite(await open(), enroll);
    for (let hit = 1; hit <= 5; hit++) expect((await site.ask('/refuse')).status).toBe(500);
    expect((await site.ask('/refuse')).status).toBe(429);
  });

  it('S21: takes no address from a client that is no trusted proxy', async () => {
    const web = await open();
    for (const trustedProxies of [[], ['10.0.0.0/8', '::1']]) {
      const site = await limitedSite(web, { [`a${trustedProxies.length}`]: '5 per hour' }, { trustedProxies });
      const statuses = [];
      for (let hit = 1; hit <= 6; hit++) {
        const headers = {
          'X-Forwarded-For': `1.2.3.${hit}`,
          Forwarded: `for=1.2.3.${hit}`,
          'X-Real-IP': `1.2.3.${hit}`,
        };
        statuses.push((await site.ask('/plain', { headers })).status);
      }
      expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
    }
  });

  it('S21: takes the rightmost address that no trusted proxy has', async () => {
    const site = await limitedSite(
      await open(),
      { a: '2 per hour' },
      { trustedProxies: ['127.0.0.0/8', '10.0.0.0/8'] },
    );
    const from = async (forwarded: string): Promise<number> =>
      (await site.ask('/plain', { headers: { 'X-Forwarded-For': forwarded } })).status;
    expect(await from('9.9.9.9')).toBe(200);
    expect(await from('1.1.1.1, 9.9.9.9')).toBe(200);
    expect(await from('2.2.2.2,9.9.9.9 , 10.0.0.7')).toBe(429);
    expect(await from('3.3.3.3, ::ffff:9.9.9.9, 10.0.0.7, 127.0.0.1')).toBe(429);
    expect(await from('9.9.9.9:5678')).toBe(429);
    expect(await from('9.9.9.8')).toBe(200);
  });

  it('S21: counts IPv6 clients by their network', async () => {
    const web = await open();
    const from = async (site: Browser, address: string): Promise<number> =>
      (await site.ask('/plain', { headers: { 'X-Forwarded-For': address } })).status;
    const trustedProxies = ['127.0.0.1'];
    const site = await limitedSite(web, { a: '2 per hour' }, { trustedProxies });
    expect(await from(site, '2001:db8:1:2::1')).toBe(200);
    expect(await from(site, '2001:DB8:1:2:ffff::9')).toBe(200);
    expect(await from(site, '2001:db8:1:2:3:4:5:6')).toBe(429);
    expect(await from(site, '2001:db8:1:3::1')).toBe(200);
    const wide = await limitedSite(web, { b: '2 per hour' }, { trustedProxies, ipv6Prefix: 56 });
    expect(await from(wide, '2001:db8:1:100::1')).toBe(200);
    expect(await from(wide, '2001:db8:1:1ff::1')).toBe(200);
    expect(await from(wide, '2001:db8:1:142::1')).toBe(429);
    expect(await from(wide, '2001:db8:1:200::1')).toBe(200);
  });

  it('tells of every limit that a request passes', async () => {
    const site = await limitedSite(await open(), { a: '3 per hour', b: '1 per minute' });
    const first = await site.ask('/plain');
    expect(first.headers['ratelimit-policy']).toBe('"a";q=3;w=3600, "b";q=1;w=60');
    expect(first.headers['ratelimit']).toBe('"a";r=2;t=3600, "b";r=0;t=60');
    const second = await site.ask('/plain');
    expect([second.status, second.json['violated-policies']]).toEqual([429, ['b']]);
    expect(second.headers['ratelimit']).toMatch(/^"a";r=1;t=3(?:600|59\d), "b";r=0;t=(?:60|5\d)$/);
  });
});
