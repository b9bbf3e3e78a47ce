import type { IncomingMessage } from 'node:http';

/** The body of a request, or why there is none to be had. */
export type PeekedBody = Buffer | 'too large' | 'already read' | 'gone';

/**
 * Reads the whole body and puts it back, so that whoever reads the request afterwards finds it as if nobody had. Holds at
 * most `mostBytes` of it in memory.
 */
export async function peekBody(request: IncomingMessage, mostBytes: number): Promise<PeekedBody> {
  if (request.readableDidRead || request.readableEnded) return 'already read';
  // What came in one packet with the headers is there after this. To look for a body where none is would end the stream.
  await Promise.resolve();
  if (request.destroyed) return 'gone';
  if (request.complete && request.readableLength === 0) return Buffer.alloc(0);
  return readBody(request, mostBytes);
}

function readBody(request: IncomingMessage, mostBytes: number): Promise<PeekedBody> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const settle = (body: PeekedBody): void => {
      request.off('readable', take);
      request.off('close', leave);
      request.off('error', leave);
      resolve(body);
    };
    const leave = (): void => settle('gone');
    const take = (): void => {
      // Reading an empty stream would end it for those who come after.
      while (request.readableLength > 0) {
        const chunk = request.read() as Buffer;
        length += chunk.length;
        if (length > mostBytes) return settle('too large');
        chunks.push(chunk);
      }
      if (!request.complete) return;
      const body = Buffer.concat(chunks);
      if (length > 0) request.unshift(body);
      settle(body);
    };
    request.on('readable', take);
    request.on('close', leave);
    request.on('error', leave);
    if (request.complete) take();
  });
}
