import type { KennelErrorCode } from '../core/errors.ts';

/** What a link looks like, before anybody has asked there. */
export type LinkKind = 'hls' | 'dash' | 'rtmp' | 'rtsp' | 'srt' | 'file' | 'page';

/** What is behind a link, once somebody has asked. */
export interface ResolvedLink {
  readonly kind: LinkKind;
  /** What is to be fetched: the link itself, or what its page led to. */
  readonly url: URL;
  /** Headers that its host wants (Referer, User-Agent, …). May be secret. */
  readonly headers: Readonly<Record<string, string>>;
  /** Cookies of the page, as a Netscape cookie file. Secret. */
  readonly cookies?: string;
  /** When the address stops working, milliseconds since the epoch, where that can be told. */
  readonly expiresAt?: number;
  /** Where picture and sound are apart: the address of the sound. */
  readonly audioUrl?: URL;
  readonly isLive?: boolean;
  readonly title?: string;
  readonly uploader?: string;
  /** How long a file or an ended broadcast is, milliseconds. */
  readonly durationMs?: number;
  /** Everything that could be chosen. */
  readonly formats: readonly LinkFormat[];
  /** Who found out: `yt-dlp 2025.11.12`; absent for a direct link. */
  readonly resolver?: string;
}

export interface LinkFormat {
  readonly id: string;
  /** yt-dlp's word: `m3u8_native`, `https`, `http_dash_segments`, … */
  readonly protocol: string;
  readonly container?: string;
  readonly width?: number;
  readonly height?: number;
  readonly framesPerSecond?: number;
  readonly bitsPerSecond?: number;
  readonly videoCodec?: string;
  readonly audioCodec?: string;
  readonly language?: string;
}

/** What the source of a job says of itself when it cannot be recorded: codes that intake may reject with. */
export type IntakeRefusal = Extract<
  KennelErrorCode,
  | 'url.invalid'
  | 'source.notFound'
  | 'source.notLive'
  | 'source.login'
  | 'source.geo'
  | 'source.list'
  | 'source.refused'
  | 'source.unavailable'
  | 'source.unsupported'
  | 'source.encrypted'
  | 'address.refused'
  | 'tool.missing'
  | 'tool.outdated'
  | 'tool.failed'
  | 'quality.notFound'
>;

export interface ResolveOptions {
  readonly signal: AbortSignal;
  readonly quality: readonly string[];
  readonly format?: string | undefined;
  readonly audioOnly?: boolean | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly cookies?: string | undefined;
  readonly proxy?: string | undefined;
  readonly reach?: readonly string[] | undefined;
}

/** Finds out what is behind a link. Rejects with an `IntakeRefusal`; `retryable` says whether it may change by itself. */
export type ResolveLink = (link: URL, options: ResolveOptions) => Promise<ResolvedLink>;
