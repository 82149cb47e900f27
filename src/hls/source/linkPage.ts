import type { Clock } from '../../core/clock.ts';
import { isKennelError, KennelError } from '../../core/errors.ts';
import { unlessAborted } from '../../core/unlessAborted.ts';
import { askAgainAfterMs } from '../../intake/askAgain.ts';
import type { ResolvedLink } from '../../intake/link.ts';
import { withDeadline } from '../transport/deadline.ts';

/** Whoever finds out what is behind a page has limits of his own; this is for one that hangs, milliseconds. */
const ASK_TIMEOUT_MS = 120_000;
/** What a page led to is not tried for longer than this, milliseconds: addresses that expire are good for a minute at least. */
const HELD_MS_MAX = 60_000;

/** Finds out where a page leads. Rejects as `ResolveLink` does. */
export type ResolvePage = (link: URL, signal: AbortSignal) => Promise<ResolvedLink>;

export interface LinkPageOptions {
  readonly url: URL;
  readonly resolveLink: ResolvePage;
  /** Called with every answer; awaited before it is used. */
  learned(resolved: ResolvedLink): Promise<void>;
  readonly clock: Clock;
  readonly life: AbortSignal;
}

/** A link that is a page: asked where its playlist is, again when that has run out, and never more often than is decent. */
export class LinkPage {
  readonly #options: LinkPageOptions;
  /** What has not been read yet. */
  #held: { readonly resolved: ResolvedLink; readonly at: number } | undefined;
  #failure: KennelError | undefined;
  #failures = 0;
  #notBefore = Number.NEGATIVE_INFINITY;

  constructor(options: LinkPageOptions) {
    this.#options = options;
  }

  /** Where the playlist is. Rejects as the resolver does; with its last failure where that is too recent to ask again. */
  async lead(): Promise<ResolvedLink> {
    const { clock } = this.#options;
    const now = clock.elapsed();
    if (this.#held !== undefined && now - this.#held.at < HELD_MS_MAX) return this.#held.resolved;
    if (this.#failure !== undefined && now < this.#notBefore) throw this.#failure;
    try {
      const resolved = await this.#ask();
      this.#held = { resolved, at: clock.elapsed() };
      return resolved;
    } catch (error) {
      if (isKennelError(error)) this.#fail(error);
      throw error;
    }
  }

  /** The playlist was read: the next question is a new one. */
  succeeded(): void {
    this.#held = undefined;
    this.#failure = undefined;
    this.#failures = 0;
  }

  /** The playlist could not be read there. An address that is refused or gone leads nowhere; a hiccup of its host changes nothing. */
  failed(error: unknown): void {
    const { resolved } = this.#held ?? {};
    if (!isKennelError(error) || error.code === 'source.unavailable') return;
    if (error.code === 'timeout.exceeded') return;
    this.#held = undefined;
    const resolver = resolved?.resolver;
    const details = { ...error.details, ...(resolver !== undefined && { resolver }) };
    const { code, message, retryable } = error;
    this.#fail(new KennelError(code, message, { cause: error, retryable, details }));
  }

  #fail(error: KennelError): void {
    this.#failures++;
    this.#failure = error;
    this.#notBefore = this.#options.clock.elapsed() + askAgainAfterMs(error, this.#failures);
  }

  async #ask(): Promise<ResolvedLink> {
    const { url, resolveLink, clock, life: outer, learned } = this.#options;
    const resolved = await withDeadline(
      { clock, timeoutMs: ASK_TIMEOUT_MS, outer },
      async (signal) => await unlessAborted(resolveLink(url, signal), signal),
    );
    if (resolved.kind !== 'hls') {
      const { resolver } = resolved;
      throw new KennelError(
        'source.unsupported',
        `${url.host} leads to ${resolved.kind} now, not to HLS.`,
        { retryable: true, details: { kind: resolved.kind, ...(resolver && { resolver }) } },
      );
    }
    await learned(resolved);
    return resolved;
  }
}
