import { type ClientOptions, leanHop } from './leanHop.ts';
import { type RedirectingTransportOptions, redirectingTransport } from './redirectingTransport.ts';
import type { Transport } from './transport.ts';

export type LeanTransportOptions = ClientOptions & Omit<RedirectingTransportOptions, 'proxy'>;

/** The lean client alone. A request that names a proxy is refused with `usage.invalid`. */
export const leanTransport = (options: LeanTransportOptions = {}): Transport =>
  redirectingTransport(leanHop(options), options);
