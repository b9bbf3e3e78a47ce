import { expect } from 'vitest';
import type { HistoryEntry } from '../src/tracking/persistent-record.js';
import type { FrameCounts, StartedSession } from '../src/tracking/realtime-tracking-service.js';
import type { RoseId } from '../src/tracking/rose-id.js';

/** What came back. */
export interface Answer<Json = Record<string, unknown>> {
  readonly status: number;
  readonly headers: Headers;
  readonly json: Json;
}

/** The record of a session as clients see it. */
export interface SessionDocument {
  readonly start_time: number;
  readonly last_update: number;
  readonly last_count_update: number;
  readonly display_count: number;
  readonly frame_counts: readonly number[];
  readonly session_unique_roses: readonly RoseId[];
  readonly frame_count: number;
  readonly session_number: number;
}

/** `GET /totals`. */
export interface Totals {
  readonly total_unique_roses: number;
  readonly cumulative_unique_roses: number;
  readonly next_session_number: number;
  readonly last_session_id: string | null;
}

/** Somebody who talks to several workers by turns, as behind a balancer. */
export class Camera {
  readonly #bases: readonly string[];
  #turn = 0;

  /** @param bases where the rose tracker's paths begin, without a slash at the end. */
  constructor(bases: readonly string[]) {
    this.#bases = bases;
  }

  async ask<Json = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<Answer<Json>> {
    const base = this.#bases[this.#turn++ % this.#bases.length] ?? '';
    const init = body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: textOf(body) };
    const response = await fetch(`${base}${path}`, { method, ...init });
    const text = await response.text();
    return { status: response.status, headers: response.headers, json: JSON.parse(text) as Json };
  }

  async start(): Promise<StartedSession> {
    const { status, json } = await this.ask<StartedSession>('POST', '/sessions');
    expect(status).toBe(201);
    return json;
  }

  async frame(id: string, frame: number, roses: readonly RoseId[]): Promise<FrameCounts> {
    const { status, json } = await this.ask<FrameCounts>('POST', `/sessions/${id}/frames`, { frame, roses });
    expect({ status, json }).toMatchObject({ status: 200 });
    return json;
  }

  async session(id: string): Promise<SessionDocument> {
    const { status, json } = await this.ask<SessionDocument>('GET', `/sessions/${id}`);
    expect(status).toBe(200);
    return json;
  }

  async stop(id: string): Promise<HistoryEntry> {
    const { status, json } = await this.ask<HistoryEntry>('POST', `/sessions/${id}/stop`);
    expect(status).toBe(200);
    return json;
  }

  async totals(): Promise<Totals> {
    return (await this.ask<Totals>('GET', '/totals')).json;
  }

  async history(): Promise<readonly HistoryEntry[]> {
    return (await this.ask<readonly HistoryEntry[]>('GET', '/history')).json;
  }
}

/** Text goes as it is, so that a test can send what is no JSON. */
function textOf(body: unknown): string {
  return typeof body === 'string' ? body : JSON.stringify(body);
}
