import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { clientAddress, clientNetwork, TrustedProxies } from '../../src/adapters/http.js';

describe('trusted proxies', () => {
  it('are addresses and ranges, in whatever spelling', () => {
    const proxies = new TrustedProxies(['10.0.0.0/8', '192.168.1.1', 'fd00::/8', '::1']);
    const inside = [
      '10.0.0.1',
      '10.255.255.255',
      '::ffff:10.1.2.3',
      '192.168.1.1',
      '::1',
      '0:0::1',
      'FD12::9',
      'fd00::1%eth0',
    ];
    const outside = [
      '11.0.0.1',
      '192.168.1.2',
      'fe80::1',
      '::2',
      '',
      'localhost',
      '10.0.0',
      '0x0a000001',
      '10.0.0.1.evil',
      undefined,
    ];
    expect(inside.map((address) => proxies.includes(address))).toEqual(inside.map(() => true));
    expect(outside.map((address) => proxies.includes(address))).toEqual(outside.map(() => false));
  });

  it('are nobody by default', () => {
    expect(new TrustedProxies().includes('127.0.0.1')).toBe(false);
  });

  it.each(['', 'loopback', '10.0.0.0/33', '10.0.0/8', '::/129', '10.0.0.0/', '/8', '10.0.0.0/8/8', '10.0.0.0/-1', ' '])(
    'cannot be %j',
    (range) => {
      expect(() => new TrustedProxies([range])).toThrow(expect.objectContaining({ code: 'InvalidArgument' }));
    },
  );

  it('cannot be a single text, or another kind of list', () => {
    for (const ranges of ['10.0.0.0/8', {}, null, [1]] as unknown as string[][]) {
      expect(() => new TrustedProxies(ranges)).toThrow(expect.objectContaining({ code: 'InvalidArgument' }));
    }
  });
});

describe('the address of a client', () => {
  const proxies = new TrustedProxies(['10.0.0.0/8', '::1']);
  const from = (remoteAddress: string | undefined, forwarded?: string): string =>
    clientAddress(
      { socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } } as unknown as IncomingMessage,
      proxies,
    );

  it.each([
    ['1.1.1.1', undefined, '1.1.1.1'],
    ['1.1.1.1', '2.2.2.2', '1.1.1.1'],
    ['::ffff:1.1.1.1', undefined, '1.1.1.1'],
    ['10.0.0.1', undefined, '10.0.0.1'],
    ['10.0.0.1', '', '10.0.0.1'],
    ['10.0.0.1', '2.2.2.2', '2.2.2.2'],
    ['::ffff:10.0.0.1', '2.2.2.2', '2.2.2.2'],
    ['::1', 'spoofed, 3.3.3.3, 2.2.2.2', '2.2.2.2'],
    ['10.0.0.1', '3.3.3.3, 10.0.0.3, 10.0.0.2', '3.3.3.3'],
    ['10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    // A proxy that says nothing readable stands for its clients; what is left of it was not said by a trusted one.
    ['10.0.0.1', '3.3.3.3, unknown', '10.0.0.1'],
    ['10.0.0.1', '3.3.3.3, , 10.0.0.2', '10.0.0.2'],
    ['10.0.0.1', '2.2.2.2:5678', '2.2.2.2'],
    ['10.0.0.1', '[2001:db8::1]:443', '2001:db8::1'],
    ['10.0.0.1', '[2001:DB8::1]', '2001:db8::1'],
    ['10.0.0.1', '"2.2.2.2"', '10.0.0.1'],
    [undefined, '2.2.2.2', ''],
  ])('from %s with %j is %s', (peer, forwarded, expected) => {
    expect(from(peer, forwarded)).toBe(expected);
  });
});

describe('clientNetwork', () => {
  it.each([
    ['1.2.3.4', 64, '1.2.3.4'],
    ['::ffff:1.2.3.4', 64, '1.2.3.4'],
    ['1.2.3.4:80', 64, '1.2.3.4'],
    ['[2001:db8:1:2::9]:80', 64, '2001:db8:1:2::/64'],
    ['2001:db8::1', 64, '2001:db8:0:0::/64'],
    ['2001:db8:1:2ff::1', 56, '2001:db8:1:200::/56'],
    ['2001:db8:1:2ff::1', 48, '2001:db8:1::/48'],
    ['2001:db8:ffff::1', 33, '2001:db8:8000::/33'],
    ['ffff::1', 1, '8000::/1'],
    ['2001:db8::ffff', 128, '2001:db8:0:0:0:0:0:ffff/128'],
    ['2001:db8::ffff', 127, '2001:db8:0:0:0:0:0:fffe/127'],
    ['not an address', 64, 'not an address'],
    ['1.2.3.4:', 64, '1.2.3.4:'],
  ])('of %s with %s bits is %s', (address, bits, network) => {
    expect(clientNetwork(address, bits)).toBe(network);
  });
});
