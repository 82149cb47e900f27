import type { Clock } from '../../core/clock.ts';
import type { AddressRules } from '../../egress/addressRules.ts';
import type { ResolveOptions } from '../../intake/link.ts';
import { type LinkLook, lookAtLink } from '../../intake/linkLook.ts';
import { CookieJar } from '../transport/cookieJar.ts';
import { jobTransport } from '../transport/jobTransport.ts';
import type { Transport } from '../transport/transport.ts';
import { takeCookies } from './jobCookies.ts';
import { PageHeaders } from './pageHeaders.ts';

export interface ProbeTransportOptions {
  /** Shared with others. */
  readonly transport: Transport;
  readonly clock: Clock;
  /** Who may be connected to for somebody who may reach these besides what is public. Default: anybody. */
  rules?(reach: readonly string[]): AddressRules;
}

/** What is asked, and what of it may be secret. */
export type ProbeWishes = Pick<ResolveOptions, 'headers' | 'cookies' | 'proxy' | 'reach'>;

/** What somebody would fetch a link with who is not recording it (yet): its cookies, headers, proxy and rules. */
export async function probeTransport(
  link: URL,
  wishes: ProbeWishes,
  options: ProbeTransportOptions,
): Promise<{
  readonly transport: Transport;
  readonly cookies: CookieJar;
  readonly headers: PageHeaders;
}> {
  const cookies = new CookieJar();
  const headers = new PageHeaders(wishes.headers);
  const now = options.clock.now();
  if (wishes.cookies !== undefined)
    await takeCookies(cookies, wishes.cookies, { links: [link], now });
  const own = jobTransport(options.transport, {
    sources: [link],
    cookies,
    ...(wishes.headers && { headers: wishes.headers }),
    ...(wishes.proxy !== undefined && { proxy: wishes.proxy }),
    ...(options.rules && { rules: options.rules(wishes.reach ?? []) }),
  });
  return { transport: headers.over(own), cookies, headers };
}

/** How `linkResolver` looks at a link: as its recording would. */
export const lookThrough =
  (options: ProbeTransportOptions) =>
  async (link: URL, wishes: ResolveOptions): Promise<LinkLook> => {
    const { transport } = await probeTransport(link, wishes, options);
    return await lookAtLink({ transport, link, signal: wishes.signal, clock: options.clock });
  };
