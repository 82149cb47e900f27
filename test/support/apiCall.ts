export interface Call {
  /** Absent: as whoever reaches a service on loopback. */
  readonly key?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Called {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what comes back is looked at field by field, as a user without types does.
  readonly body: any;
}

export type ApiCall = (what: string, call?: Call) => Promise<Called>;

/** Asks a service: `call('POST /jobs', { key, body })`. The body of the answer is what its JSON says. */
export const apiCall =
  (url: string): ApiCall =>
  async (what, { key, body, headers = {} } = {}) => {
    const [method = '', path = ''] = what.split(' ');
    const answer = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: {
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
  };
