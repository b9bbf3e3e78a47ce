import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** An authority of one's own, and certificates signed by it. Made with the openssl program. */
export interface Authority extends AsyncDisposable {
  /** Its certificate in PEM. */
  readonly ca: string;
  /** Arguments for `redis-server`: TLS on `port`, as `name` (`DNS:localhost`, `IP:127.0.0.1`), valid for `days` from now. */
  serverArguments(port: number, name: string, days?: number): Promise<string[]>;
}

export async function createAuthority(): Promise<Authority> {
  const directory = await mkdtemp(join(tmpdir(), 'commonhold-tls-'));
  const at = (file: string): string => join(directory, file);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await run('openssl', [
    'req',
    '-x509',
    ...key,
    '-subj',
    '/CN=test authority',
    '-days',
    '2',
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.pem'),
  ]);
  let certificates = 0;
  return {
    ca: await readFile(at('ca.pem'), 'utf8'),
    serverArguments: async (port, name, days = 2) => {
      const stem = `server${++certificates}`;
      await writeFile(at(`${stem}.ext`), `subjectAltName=${name}\n`);
      await run('openssl', [
        'req',
        ...key,
        '-subj',
        '/CN=server',
        '-keyout',
        at(`${stem}.key`),
        '-out',
        at(`${stem}.csr`),
      ]);
      const signer = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-extfile', at(`${stem}.ext`)];
      await run('openssl', [
        'x509',
        '-req',
        ...signer,
        '-days',
        String(days),
        '-in',
        at(`${stem}.csr`),
        '-out',
        at(`${stem}.pem`),
      ]);
      const files = [
        '--tls-cert-file',
        at(`${stem}.pem`),
        '--tls-key-file',
        at(`${stem}.key`),
        '--tls-ca-cert-file',
        at('ca.pem'),
      ];
      return ['--tls-port', String(port), ...files, '--tls-auth-clients', 'no'];
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
