import type { FaultLink, FaultMode } from './fault-link.js';

/**
 * What happens to one chunk from a client: passed to the current mode, lost, answered with a reset, or carried out and answered
 * with a reset in place of the reply.
 */
export type RequestVerdict = 'pass' | 'drop' | 'reset' | 'loseReply';

/** Looks at a chunk from a client. A chunk may hold several commands, or a part of one. */
export type RequestHook = (chunk: Buffer) => RequestVerdict;

/** `mode`, for the requests that `hook` lets through. */
export function hookedMode(mode: FaultMode, hook: RequestHook | undefined): FaultMode {
  if (hook === undefined) return mode;
  return {
    ...mode,
    request: (link, chunk) => {
      const verdict = hook(chunk);
      if (verdict === 'reset') link.reset();
      if (verdict === 'loseReply') link.doom();
      if (verdict === 'pass' || verdict === 'loseReply') mode.request(link, chunk);
    },
  };
}

const passRequest = (link: FaultLink, chunk: Buffer): void => link.toServer.send(chunk);

/** Passes everything on. */
export const passMode: FaultMode = {
  request: passRequest,
  reply: (link, chunk) => link.toClient.send(chunk),
};

/** Passes nothing on, and says nothing either. */
export const darkMode: FaultMode = { dark: true, request: () => {}, reply: () => {} };

/** Passes every chunk on `delayMs` after it came. */
export function delayMode(delayMs: number): FaultMode {
  return {
    request: (link, chunk) => link.toServer.send(chunk, delayMs),
    reply: (link, chunk) => link.toClient.send(chunk, delayMs),
  };
}

/** Passes every byte on by itself. */
export const splitMode: FaultMode = {
  request: (link, chunk) => link.toServer.sendSplit(chunk),
  reply: (link, chunk) => link.toClient.sendSplit(chunk),
};

/** Loses the next `count` chunks of replies, on whichever connection, and is `done` then. */
export function dropRepliesMode(count: number, done: () => void): FaultMode {
  let left = count;
  return {
    request: passRequest,
    reply: () => {
      left -= 1;
      if (left === 0) done();
    },
  };
}

/** Lets the next request through, and resets its connection in place of the reply. */
export function dropReplyThenResetMode(done: () => void): FaultMode {
  let doomed: FaultLink | undefined;
  return {
    request: (link, chunk) => {
      doomed ??= link;
      link.toServer.send(chunk);
    },
    reply: (link, chunk) => {
      if (link !== doomed) return link.toClient.send(chunk);
      link.reset();
      done();
    },
  };
}

/** Passes on the first `bytes` bytes of the next reply, and closes its connection there. */
export function truncateReplyMode(bytes: number, done: () => void): FaultMode {
  return {
    request: passRequest,
    reply: (link, chunk) => {
      link.toClient.send(chunk.subarray(0, bytes));
      link.cut();
      done();
    },
  };
}
