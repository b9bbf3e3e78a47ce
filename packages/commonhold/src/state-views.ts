import type { CloseLimit } from './close-report.js';
import { InvalidArgumentError } from './errors.js';
import { checkOptionNames, type OptionNames } from './option-names.js';

/** Which view of a state. */
export interface ViewOptions {
  /** The tenant: 1 to 64 bytes of any text. Its keys begin with `<namespace of the state>:<tenant, encoded>`. */
  readonly namespace: string;
}

const names = { namespace: true } satisfies OptionNames<ViewOptions>;

/** A view, and how to close it with its state. */
interface OwnView<View> {
  readonly view: View;
  readonly close: (limit: CloseLimit) => Promise<unknown>;
}

/** The views of one state, by tenant: one each, until it is closed. */
export class StateViews<View> {
  readonly #views = new Map<string, OwnView<View>>();

  /** The view of a tenant. @throws InvalidArgumentError for bad options, and what `make` throws. */
  open(options: ViewOptions, make: (tenant: string) => OwnView<View>): View {
    checkOptionNames('state.with', options, names);
    const { namespace } = options;
    if (typeof namespace !== 'string') throw new InvalidArgumentError('state.with, namespace', 'a text', namespace);
    const known = this.#views.get(namespace);
    if (known !== undefined) return known.view;
    const own = make(namespace);
    this.#views.set(namespace, own);
    return own.view;
  }

  forget(tenant: string): void {
    this.#views.delete(tenant);
  }

  async close(limit: CloseLimit): Promise<void> {
    await Promise.allSettled([...this.#views.values()].map((own) => own.close(limit)));
  }
}
