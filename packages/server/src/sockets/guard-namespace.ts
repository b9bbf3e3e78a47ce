import type { Namespace, Socket } from 'socket.io';

/** Told of what a system's code failed with while it handled a client. */
export type Report = (error: unknown, namespace: string) => void;

type Listener = (...args: never[]) => unknown;

/** What sockets and namespaces have in common, as Node's EventEmitter has it. */
interface Emitter {
  on(event: string, listener: Listener): unknown;
  once(event: string, listener: Listener): unknown;
  off(event: string, listener: Listener): unknown;
  removeListener(event: string, listener: Listener): unknown;
}

/**
 * Keeps a failure in a system's socket code from ending the process, as Fastify does for its routes: Socket.IO lets what a
 * listener or a middleware throws, or rejects with, go uncaught. A listener's failure is reported; a middleware's is
 * reported too, and refuses the client.
 *
 * Must be called before the system adds anything to the namespace.
 */
export function guardNamespace(namespace: Namespace, report: Report): void {
  const failed = (error: unknown): void => report(error, namespace.name);
  const use = namespace.use.bind(namespace);
  use((socket: Socket, next) => {
    guardListeners(socket as unknown as Emitter, failed);
    next();
  });
  namespace.use = (middleware) =>
    use((socket, next) => {
      const answer = onlyOnce(next);
      const refuse = (error: unknown): void => {
        failed(error);
        answer(new Error('This cannot be checked now; try again later'));
      };
      attempt(() => middleware(socket, answer), refuse);
    });
  guardListeners(namespace as unknown as Emitter, failed);
}

function guardListeners(emitter: Emitter, failed: (error: unknown) => void): void {
  const guarded = new WeakMap<Listener, Listener>();
  const guard = (listener: Listener): Listener => {
    const known = guarded.get(listener);
    if (known !== undefined) return known;
    const attempting: Listener = (...args) => attempt(() => listener.apply(emitter, args), failed);
    guarded.set(listener, attempting);
    return attempting;
  };
  const on = emitter.on.bind(emitter);
  const once = emitter.once.bind(emitter);
  const removeListener = emitter.removeListener.bind(emitter);
  const remove: Emitter['off'] = (event, listener) => removeListener(event, guarded.get(listener) ?? listener);
  emitter.on = (event, listener) => on(event, isOnceWrapper(listener) ? listener : guard(listener));
  emitter.once = (event, listener) => once(event, guard(listener));
  emitter.off = remove;
  emitter.removeListener = remove;
}

/** Whether Node made it for `once`; what it wraps is guarded already, and Node must find it again to remove it. */
function isOnceWrapper(listener: Listener): boolean {
  return 'listener' in listener;
}

function attempt(run: () => unknown, failed: (error: unknown) => void): void {
  try {
    const result = run();
    if (result instanceof Promise) result.catch(failed);
  } catch (error) {
    failed(error);
  }
}

function onlyOnce<Argument>(call: (argument?: Argument) => void): (argument?: Argument) => void {
  let called = false;
  return (argument) => {
    if (called) return;
    called = true;
    call(argument);
  };
}
