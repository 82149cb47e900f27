import { KennelError } from '../core/errors.ts';

/** A part that this version does not have: whoever asks it for something hears so. */
export const notYet = <Part extends object>(name: string): Part =>
  // It stands for any interface: every member of it is a function that refuses.
  new Proxy(
    {},
    {
      get: () => () => {
        throw new KennelError('service.unavailable', `this version has no ${name} yet`);
      },
    },
  ) as Part;
