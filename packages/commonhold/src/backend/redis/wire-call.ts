import { type CommonholdError, UnavailableError } from '../../errors.js';
import type { NamedOperation } from '../../operation.js';
import { classify, unanswered } from './classify.js';
import type { PendingCall } from './deadlines.js';
import { type CommandArgument, type ReplyOptions, textReply } from './redis-client.js';

/** What is sent, how its reply is read, and the text to send in place of a hash where the server lost the script. */
export interface WireMessage {
  readonly words: readonly CommandArgument[];
  readonly reply: ReplyOptions;
  readonly script?: string | undefined;
  /** For this node alone: what it does not run is told to the caller, and goes to no other. */
  readonly direct?: boolean | undefined;
}

/** What a settled call keeps: it may lie in line for its deadline for a while, and its words would with it. */
const nothing: WireMessage = { words: [], reply: textReply };
const settled = (): void => undefined;

/** A call on its way: settled once, by a reply, an error or its deadline. */
export class WireCall implements PendingCall {
  readonly operation: NamedOperation;
  readonly dueAtMs: number;
  message: WireMessage;
  settled = false;
  /** How often a node refused it as not its own, or not now. */
  tries = 0;
  /** When it was written, as the connection's watch counts time. */
  writtenAtMs = 0;
  /** Why it certainly did not run so far; undefined from when it is written until it is refused. */
  refusal: string | undefined;
  #resolve: (reply: unknown) => void;
  #reject: (error: Error) => void;

  constructor(
    operation: NamedOperation,
    dueAtMs: number,
    message: WireMessage,
    resolve: (reply: unknown) => void,
    reject: (error: Error) => void,
  ) {
    this.operation = operation;
    this.dueAtMs = dueAtMs;
    this.message = message;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** The first key. */
  get key(): string {
    const { words } = this.message;
    return String(words[0] === 'EVALSHA' || words[0] === 'EVAL' ? words[3] : words[1]);
  }

  succeed(reply: unknown): void {
    const resolve = this.#resolve;
    this.#settle();
    resolve(reply);
  }

  /** Tells the caller what an error of the client, or of the server, means. */
  fail(error: unknown): void {
    this.refuse(classify(this.operation, error));
  }

  /** Rejects with `error` as it is. */
  refuse(error: CommonholdError): void {
    if (this.settled) return;
    const reject = this.#reject;
    this.#settle();
    reject(error);
  }

  #settle(): void {
    this.settled = true;
    this.message = nothing;
    this.#resolve = settled;
    this.#reject = settled;
  }

  expire(): void {
    const { operation, refusal } = this;
    this.refuse(
      refusal === undefined
        ? unanswered(operation, 'no answer by its deadline')
        : new UnavailableError(operation.name, refusal),
    );
  }
}
