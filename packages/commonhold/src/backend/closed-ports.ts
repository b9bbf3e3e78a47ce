import { ClosedError } from '../errors.js';
import type { Ports } from './backend.js';

/**
 * Has every method of every port reject with `Closed` from now on. The methods are replaced, so that an open state pays
 * nothing for being able to close.
 */
export function closePorts(ports: Ports): void {
  const refuse = (): Promise<never> => Promise.reject(new ClosedError('This state'));
  for (const port of Object.values(ports) as object[]) {
    for (const name of methodNames(port)) Object.defineProperty(port, name, { value: refuse });
  }
}

/** A port is an instance of a class, or an object of functions. */
function methodNames(port: object): string[] {
  const names = [port, Object.getPrototypeOf(port) as object].flatMap((owner) => Object.getOwnPropertyNames(owner));
  return names.filter((name) => name !== 'constructor' && typeof (port as Record<string, unknown>)[name] === 'function');
}
