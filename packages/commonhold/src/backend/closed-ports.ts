import { ClosedError } from '../errors.js';
import type { Ports, PortSet } from './backend.js';

/** Ports for which all uses are alike: whatever they chose, it is up to somebody else, or to nobody. */
export function plainPorts(ports: Ports): PortSet {
  return { ports, portFor: (feature) => ports[feature], closePorts: () => closePorts(ports) };
}

/**
 * Has every method of every port reject with `Closed` from now on. The methods are replaced, so that an open state pays
 * nothing for being able to close.
 */
export function closePorts(ports: object): void {
  const refuse = (): Promise<never> => Promise.reject(new ClosedError('This state'));
  for (const port of Object.values(ports) as object[]) {
    for (const name of methodNames(port)) Object.defineProperty(port, name, { value: refuse, configurable: true });
  }
}

/** The same port, which can be closed without closing `port`. */
export function ownPort<Port extends object>(port: Port): Port {
  const methods = port as Readonly<Record<string, (...call: unknown[]) => unknown>>;
  return Object.fromEntries(
    methodNames(port).map((name) => [name, (...call: unknown[]) => methods[name]?.(...call)]),
  ) as Port;
}

/** A port is an instance of a class, which may extend another, or an object of functions. */
function methodNames(port: object): string[] {
  const names: string[] = [];
  let owner: object | null = port;
  while (owner !== null && owner !== Object.prototype) {
    names.push(...Object.getOwnPropertyNames(owner));
    owner = Object.getPrototypeOf(owner) as object | null;
  }
  return names.filter(
    (name) => name !== 'constructor' && typeof (port as Record<string, unknown>)[name] === 'function',
  );
}
