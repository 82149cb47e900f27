import type { Transport } from './transport.ts';

/** The same transport; every piece of a body that arrives is reported first, in bytes. */
export const countedTransport = (
  transport: Transport,
  arrived: (bytes: number) => void,
): Transport => ({
  get: (request) =>
    transport.get({
      ...request,
      onData: (bytes) => {
        arrived(bytes.length);
        return request.onData(bytes);
      },
    }),
  close: () => transport.close(),
});
