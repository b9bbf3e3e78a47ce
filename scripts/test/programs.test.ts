import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { plantFolder, root } from './planted.js';

const run = `import('${root}scripts/programs.mjs').then(({ ensurePrograms }) => ensurePrograms(process.env.HOME))
  .then(() => console.log(process.env.CHROMIUM_PATH + ' ' + process.env.POSTGRES_BIN),
    (error) => { console.error(error.message); process.exit(1); })`;

/** Runs ensurePrograms on a machine that has only the programs in `bin`, and what lies below it. */
function onMachine(bin: string): { status: number | null; stdout: string; stderr: string } {
  // env is what the install command begins with; the shell runs the planted scripts.
  const env = { PATH: bin, HOME: bin };
  return spawnSync(process.execPath, ['-e', run], { env, encoding: 'utf8' });
}

const nothing = '#!/bin/sh\nexit 0\n';
const others = { 'redis-server': nothing, nginx: nothing, xz: nothing };
const env = '#!/bin/sh\nexport "$1"\nshift\nexec "$@"\n';

/** An apt-get that notes its arguments and, on install, makes the programs appear. */
const aptGet = (bin: string): string => `#!/bin/sh
echo "$DEBIAN_FRONTEND $*" >> calls
case "$*" in *install*) for name in redis-server nginx chromium postgres xz; do /bin/cp ${bin}/nothing ${bin}/$name; done;; esac
`;

describe.runIf(process.platform === 'linux')('ensurePrograms', () => {
  it('says nothing when all is there, and points at the browser', () => {
    const bin = plantFolder({ ...others, 'google-chrome': nothing, postgres: nothing });
    expect(onMachine(bin)).toMatchObject({ status: 0, stdout: `${join(bin, 'google-chrome')} ${bin}\n`, stderr: '' });
  });

  it('finds the newest PostgreSQL where Debian keeps it, which is not on PATH', () => {
    const bin = plantFolder({
      ...others,
      chromium: nothing,
      'usr/lib/postgresql/9/bin/postgres': nothing,
      'usr/lib/postgresql/15/bin/postgres': nothing,
      'usr/lib/postgresql/16/bin/psql': nothing,
    });
    const place = join(bin, 'usr/lib/postgresql/15/bin');
    expect(onMachine(bin)).toMatchObject({ status: 0, stdout: `${join(bin, 'chromium')} ${place}\n`, stderr: '' });
  });

  it('names what to install where it cannot', () => {
    const { status, stderr } = onMachine(plantFolder({ chromium: nothing, nginx: nothing, xz: nothing }));
    expect(status).toBe(1);
    expect(stderr).toContain('redis-server (the tests start real Redis servers of their own)');
    expect(stderr).toContain('PostgreSQL (the tests start real PostgreSQL servers of their own)');
    expect(stderr).toContain('sudo apt-get install redis-server postgresql\n');
    expect(stderr).not.toContain('Chromium');
  });

  it('names what to install where apt-get fails, with what it said', () => {
    const bin = plantFolder({ env, sudo: '#!/bin/sh\nshift\nexec "$@"\n', true: nothing });
    const failing = plantFolder({ 'apt-get': '#!/bin/sh\necho no network\nexit 100\n' });
    const { status, stderr } = onMachine(`${bin}:${failing}`);
    expect(status).toBe(1);
    expect(stderr).toContain('no network');
    expect(stderr).toContain('sudo apt-get install redis-server nginx-light chromium postgresql xz-utils');
  });

  it('installs all with apt-get in one line, updating the lists once', () => {
    const bin = plantFolder({ env, nothing, true: nothing, sudo: '#!/bin/sh\nshift\nexec "$@"\n' });
    const apt = plantFolder({ 'apt-get': aptGet(bin).replace('calls', `${bin}/calls`) });
    const { status, stdout, stderr } = onMachine(`${bin}:${apt}`);
    expect({ status, stdout }).toEqual({ status: 0, stdout: `${join(bin, 'chromium')} ${bin}\n` });
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/^Installing redis-server .* and nginx .* and Chromium .* and PostgreSQL .* and xz .*\.$/),
    ]);
    const calls = readFileSync(join(bin, 'calls'), 'utf8').trim().split('\n');
    expect(calls).toEqual([
      expect.stringMatching(/^noninteractive .* update$/),
      expect.stringMatching(
        /^noninteractive .* install -y --no-install-recommends redis-server nginx-light chromium postgresql xz-utils$/,
      ),
    ]);
    expect(existsSync(join(bin, 'redis-server'))).toBe(true);
  });
});
