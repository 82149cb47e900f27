import type { JobSpec } from '../../machines/vocabulary.ts';
import { KennelError } from '../core/errors.ts';
import { directLink } from './directLink.ts';
import type { ResolvedLink, ResolveLink } from './link.ts';
import { linkKind } from './linkKind.ts';
import { isNobodyThere, type LinkLook } from './linkLook.ts';

export interface LinkResolverOptions {
  /** What answers at an address, for a job with these headers, cookies and proxy: `lookAtLink` over the job's transport. */
  look(link: URL, options: Parameters<ResolveLink>[1]): Promise<LinkLook>;
  /** Finds out what is behind a page; undefined: nothing here can, because of `missing`. */
  readonly pages: ResolveLink | undefined;
  /** Why there is nobody to ask about pages. */
  readonly missing?: string;
  readonly now: () => number;
}

/**
 * What is behind any link: by its text where that says it, by a look at its answer where that is media already, and by whoever
 * reads pages otherwise.
 */
export const linkResolver =
  ({ look, pages, missing, now }: LinkResolverOptions): ResolveLink =>
  async (link, options) => {
    const kind = linkKind(link);
    if (kind !== 'page') return directLink(kind, link, now());
    const seen = await looked(look(link, options));
    if (seen instanceof KennelError) {
      // Whoever reads pages would be refused as well, and say less.
      const isSettled = seen.code === 'address.refused' || isNobodyThere(seen);
      if (pages === undefined || isSettled) throw seen;
    } else {
      if (seen.kind !== 'page') return directLink(seen.kind, link, now());
      if (seen.status === 404 || seen.status === 410) throw notFound(link, seen.status);
    }
    if (pages !== undefined) return await pages(link, options);
    throw new KennelError(
      'tool.missing',
      `${link.host} answers with a web page. Kennel asks yt-dlp what is behind pages, and there is none: ${missing ?? 'it was not found'}. Install it (pipx install yt-dlp), or give the link of the stream itself.`,
    );
  };

async function looked(look: Promise<LinkLook>): Promise<LinkLook | KennelError> {
  try {
    return await look;
  } catch (error) {
    if (error instanceof KennelError) return error;
    throw error;
  }
}

const notFound = ({ host }: URL, status: number): KennelError =>
  new KennelError('source.notFound', `${host} answered ${status}: nothing is at this link (yet).`, {
    retryable: true,
    details: { host, status },
  });

/** The resolver for one job's links, with all that the job says about how they are to be asked. */
export function resolverOfJob(
  resolve: ResolveLink,
  spec: JobSpec,
): (link: URL, signal: AbortSignal) => Promise<ResolvedLink> {
  const { quality, format, audioOnly, headers, cookies, proxy, reach } = spec;
  const wishes = { quality, format, audioOnly, headers, cookies, proxy, reach };
  return async (link, signal) => await resolve(link, { ...wishes, signal });
}
