/** Where the library writes its few lines. A pino or Fastify logger fits as it is. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** `log`, with `details` in every line. */
export function logWith(log: Log, details: object): Log {
  return {
    info: (fields, message) => log.info({ ...details, ...fields }, message),
    warn: (fields, message) => log.warn({ ...details, ...fields }, message),
    error: (fields, message) => log.error({ ...details, ...fields }, message),
  };
}

/** Warnings and errors as one line each on standard error; everything else is dropped. */
export const standardErrorLog: Log = {
  info: () => undefined,
  warn: (fields, message) => write('warn', fields, message),
  error: (fields, message) => write('error', fields, message),
};

function write(level: string, fields: object, message: string): void {
  process.stderr.write(`commonhold ${level}: ${message} ${JSON.stringify(fields)}\n`);
}
