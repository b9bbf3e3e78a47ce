import { describe, expect, it } from 'vitest';
import { originAllowed } from '../../src/sockets/origin.js';

const allowed = new Set(['https://app.example', 'http://localhost:3000']);

describe('originAllowed', () => {
  it.each([
    ['no origin', undefined, 'api.example'],
    ['the same host', 'http://127.0.0.1:5000', '127.0.0.1:5000'],
    ['the same host behind TLS', 'https://api.example', 'api.example'],
    ['the same host, port spelled out', 'https://api.example', 'api.example:443'],
    ['the same host in capitals', 'https://api.example', 'API.example'],
    ['the same IPv6 host', 'http://[::1]:5000', '[::1]:5000'],
    ['a listed origin', 'https://app.example', 'api.example'],
    ['a listed origin with a port', 'http://localhost:3000', '127.0.0.1:5000'],
  ])('takes %s', (_name, origin, host) => {
    expect(originAllowed(origin, host, allowed)).toBe(true);
  });

  it.each([
    ['another host', 'https://evil.example', 'api.example'],
    ['another port', 'http://127.0.0.1:5001', '127.0.0.1:5000'],
    ['null', 'null', 'api.example'],
    ['an empty one', '', 'api.example'],
    ['no URL', 'api.example', 'api.example'],
    ['a prefix of a listed one', 'https://app.exampl', 'api.example'],
    ['a listed one as prefix', 'https://app.example.evil.example', 'api.example'],
    ['a listed one as suffix', 'https://evil-app.example', 'api.example'],
    ['a listed one as user', 'https://app.example@evil.example', 'api.example'],
    ['the host as user', 'https://api.example@evil.example', 'api.example'],
    ['a listed one over plain HTTP', 'http://app.example', 'api.example'],
    ['a path behind it', 'https://app.example/', 'api.example'],
    ['a file', 'file:///api.example', 'api.example'],
    ['a host that is missing', 'https://api.example', undefined],
    ['a host that is no host', 'https://api.example', 'api example'],
  ])('refuses %s', (_name, origin, host) => {
    expect(originAllowed(origin, host, allowed)).toBe(false);
  });
});
