import type { Hop } from './hop.ts';

/** A hop that is made when it is first needed. */
export function lazyHop(make: () => Promise<Hop>): Hop {
  let made: Promise<Hop> | undefined;
  let closed = false;
  const open = async (): Promise<Hop> => {
    const hop = await make();
    if (closed) hop.close();
    return hop;
  };
  return {
    get: async (request) => {
      made ??= open();
      return await (await made).get(request);
    },
    close: () => {
      closed = true;
      // Should it fail to be made, whoever asked for it is told.
      void made?.then(
        (hop) => hop.close(),
        () => undefined,
      );
    },
  };
}
