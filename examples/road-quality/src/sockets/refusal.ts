/** Why a socket was refused, or a message not taken. `data.status` and `data.detail` read as in HTTP. */
export class Refusal extends Error {
  readonly data: { readonly status: number; readonly detail: string };

  constructor(status: number, detail: string) {
    super(detail);
    this.data = { status, detail };
  }
}
