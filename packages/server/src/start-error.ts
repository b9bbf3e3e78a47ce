/** A start that cannot be. Its message is one line for people: what is wrong and what to do. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
