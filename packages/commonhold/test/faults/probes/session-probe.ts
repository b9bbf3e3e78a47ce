import type { IssuedSession, Sessions } from '../../../src/session/session.js';
import type { Feature } from '../codes.js';
import { canaryValue, FeatureProbe } from '../probe.js';

interface Data {
  readonly n: number;
  readonly note: string;
}

/** One session that lives on and is written, and one that is ended while the fault lasts. */
export class SessionProbe extends FeatureProbe {
  readonly feature: Feature = 'SE';
  #sessions: Sessions<Data> | undefined;
  #kept: IssuedSession<Data> | undefined;
  #ended: IssuedSession<Data> | undefined;
  #written = 0;
  #revoked = false;

  async prepare(): Promise<void> {
    const sessions = this.place.subject.sessions<Data>('s');
    this.#sessions = sessions;
    this.#kept = await sessions.create({ user: 'ada', data: { n: 0, note: canaryValue } });
    this.#ended = await sessions.create({ user: 'bob', data: { n: 0, note: canaryValue } });
    for (const { token } of [this.#kept, this.#ended]) {
      this.place.sightings.secrets.add(token);
      await sessions.read(token);
    }
  }

  async round(n: number): Promise<void> {
    const [sessions, kept, ended] = [this.#sessions, this.#kept, this.#ended];
    if (sessions === undefined || kept === undefined || ended === undefined) return;
    await this.ask(
      'read',
      () => sessions.read(kept.token),
      ({ session }) => {
        if (session !== undefined) return this.read;
        this.gone('who was logged in is logged out');
        return undefined;
      },
    );
    await this.ask(
      'set',
      () => sessions.set(kept.token, { n }),
      (version) => {
        if (version !== undefined) this.#written = n;
        return version === undefined ? undefined : this.written('BU');
      },
    );
    await this.ask(
      'create',
      () => sessions.create({ user: 'eve' }),
      () => this.written('PL'),
    );
    if (n === 2)
      await this.ask(
        'revoke',
        () => sessions.revoke(ended.token),
        () => this.#noteRevoked(),
        2,
      );
    if (this.#revoked) await this.#expectEnded(sessions);
  }

  async settle(): Promise<void> {
    const [sessions, kept, ended] = [this.#sessions, this.#kept, this.#ended];
    if (sessions === undefined || kept === undefined || ended === undefined) return;
    await this.insist('revoke', () => sessions.revoke(ended.token));
    await this.#expectEnded(sessions);
    const elsewhere = this.place.other.sessions<Data>('s');
    // What was noted is there a moment later.
    const isOut = async (): Promise<boolean> => (await elsewhere.read(ended.token)).session === undefined;
    if (!(await this.soon(isOut))) this.wrong('a session that was ended was read elsewhere');
    const found = await this.insist('read', () => sessions.read(kept.token));
    if (found?.session === undefined) return this.gone('who was logged in is logged out');
    const fresh = await this.soon(
      async () => ((await sessions.read(kept.token)).session?.data.n ?? -1) >= this.#written,
    );
    if (fresh) this.note('OK');
    else this.gone('a field that was written is as it was before');
  }

  #noteRevoked(): 'OK' | 'BU' {
    this.#revoked = true;
    return this.place.reach() === 'none' ? 'BU' : 'OK';
  }

  async #expectEnded(sessions: Sessions<Data>): Promise<void> {
    const read = await sessions.read(this.#ended?.token ?? '').catch(() => undefined);
    if (read?.session !== undefined) this.wrong('a session that was ended was read');
  }
}
