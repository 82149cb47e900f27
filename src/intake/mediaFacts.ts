/** What media consist of, whoever found out. */
export interface MediaFacts {
  /** `mpegts`, `flv`, `mov,mp4,m4a,3gp,3g2,mj2`, … */
  readonly format?: string;
  readonly durationMs?: number;
  readonly bitsPerSecond?: number;
  readonly streams: readonly MediaStream[];
}

export interface MediaStream {
  readonly kind: string;
  readonly codec: string;
  readonly width?: number;
  readonly height?: number;
  readonly framesPerSecond?: number;
  readonly sampleRate?: number;
  readonly channels?: number;
  readonly bitsPerSecond?: number;
  readonly language?: string;
}
