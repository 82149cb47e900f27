import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { type Answer, send } from './answer.ts';
import { type Fault, FaultBoard } from './faults.ts';
import { headAt, isKept, shownAt, type WindowPlan } from './liveWindow.ts';
import { loadSet, type MediaSet } from './mediaSet.ts';
import {
  type Era,
  eraAt,
  erasOf,
  indexOf,
  type Label,
  labelOf,
  type Renumbering,
} from './numbering.ts';
import { type Line, renderMedia, type Variant } from './playlistText.ts';
import { type ResolvedOptions, StreamOptions } from './streamOptions.ts';
import { bodyOf, breaksBefore, discontinuitySequence, placeOf, type Timeline } from './timeline.ts';
import { type Advertised, type Truth, TruthKeeper } from './truth.ts';

const PLAYLIST = { 'content-type': 'application/vnd.apple.mpegurl', 'cache-control': 'no-cache' };
const SEGMENT = { ts: 'video/mp2t', fmp4: 'video/iso.segment' } as const;
const SUFFIX = { ts: 'ts', fmp4: 'm4s' } as const;

/** Prefilled segments of a stream whose window has no end. */
const PREFILL_DEFAULT = 6;

/** One live stream: what it offers, how it misbehaves, and what it really did. Indexes count segments from 0 for ever. */
export class OriginStream {
  readonly name: string;
  readonly #options: ResolvedOptions;
  readonly #timeline: Timeline;
  readonly #inits: ReadonlyMap<string, Uint8Array>;
  readonly #elapsedMs: () => number;
  readonly #faults = new FaultBoard();
  readonly #truth = new TruthKeeper();
  readonly #startedAt = Date.now();
  #plan: WindowPlan;
  #renumberings: readonly Renumbering[];
  #eras: readonly Era[];

  /** @param elapsedMs Milliseconds since this stream's start: the only clock of everything but delays within an answer. */
  static async load(
    name: string,
    options: StreamOptions,
    elapsedMs: () => number,
  ): Promise<OriginStream> {
    const resolved = StreamOptions.parse(options);
    const first = { at: 0, set: await loadSet(resolved.set) };
    const later = resolved.switches.map(async ({ at, set }) => ({ at, set: await loadSet(set) }));
    const sections = [first, ...(await Promise.all(later))] as const;
    return new OriginStream(name, { options: resolved, sections, elapsedMs });
  }

  private constructor(
    name: string,
    parts: {
      options: ResolvedOptions;
      sections: Timeline['sections'];
      elapsedMs: () => number;
    },
  ) {
    const { options, sections } = parts;
    this.name = name;
    this.#options = options;
    this.#elapsedMs = parts.elapsedMs;
    this.#timeline = { sections, extraBreaks: options.discontinuities };
    const sets = new Map(sections.map(({ set }) => [set.name, set.initBody]));
    this.#inits = new Map([...sets].flatMap(([set, body]) => (body ? [[set, body] as const] : [])));
    this.#plan = planOf(options, sections[0].set);
    this.#renumberings = options.renumberings;
    this.#eras = erasOf(options.startSequence, this.#renumberings);
    for (const fault of options.faults) this.fault({ fromMs: 0, ...fault });
  }

  /** Index of the newest segment, −1 when there is none yet. */
  get head(): number {
    return headAt(this.#plan, this.#elapsedMs());
  }

  /** Lets something go wrong, from now on unless it says otherwise. */
  fault(fault: Fault): void {
    this.#faults.post(fault, this.#elapsedMs());
  }

  /** Ends every fault, also those that have not begun. */
  heal(): void {
    this.#faults.heal();
  }

  /** Changes the numbers; without `at`, with the next segment. Returns the index at which it happens. */
  renumber(change: { kind: Renumbering['kind']; to: number; at?: number }): number {
    const at = change.at ?? this.head + 1;
    this.#renumberings = [...this.#renumberings, { ...change, at }];
    this.#eras = erasOf(this.#options.startSequence, this.#renumberings);
    return at;
  }

  /** The stream is over now: no more segments, and the playlist says ENDLIST. */
  end(): void {
    this.#plan = { ...this.#plan, endAfter: this.head + 1 };
  }

  /** The epoch and media sequence number under which a segment is advertised first. */
  labelOf(index: number): Label {
    return labelOf(this.#eras, index);
  }

  /** The segment behind an epoch (the origin's count of renumberings) and a media sequence number. */
  indexOf(label: Label): number | undefined {
    return indexOf(this.#eras, label);
  }

  /** The media a segment carries: the name of its set, and its position there (which the picture shows). */
  mediaOf(index: number): { readonly set: string; readonly position: number } {
    const { set, position } = placeOf(this.#timeline, index);
    return { set: set.name, position };
  }

  /** SHA-256 of a segment's bytes, hex: what Kennel should have stored. */
  checksumOf(index: number): string {
    const { set, position } = placeOf(this.#timeline, index);
    const segment = set.segments[position];
    if (segment === undefined) throw new Error(`set ${set.name} has no segment ${position}`);
    return segment.sha256;
  }

  truth(): Truth {
    return this.#truth.read(this.#elapsedMs(), this.head);
  }

  /** This stream's line in a master playlist, seen from the origin's root. */
  variant(): Variant {
    return { ...this.#timeline.sections[0].set, uri: `live/${this.name}/index.m3u8` };
  }

  /** Answers a request for one of this stream's files. Resolves when the answer is over, one way or the other. */
  async handle(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const file = url.pathname.split('/').at(-1) ?? '';
    if (this.#options.redirect && !url.searchParams.has('moved')) {
      url.searchParams.set('moved', '1');
      const headers = { location: `${url.pathname}${url.search}` };
      await send(response, { status: 302, headers, body: '' });
    } else if (file === 'index.m3u8') {
      await this.#sendPlaylist(request, response);
    } else if (file.endsWith('.mp4')) {
      await this.#sendInit(response, file);
    } else {
      await this.#sendSegment(response, file, url.searchParams.get('token'));
    }
  }

  async #sendPlaylist(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const elapsedMs = this.#elapsedMs();
    const twist = this.#faults.twist('playlist', elapsedMs);
    if (twist !== undefined) this.#truth.wentWrong(elapsedMs, twist.do, 'index.m3u8');
    const { text, shown, ended } = this.#playlist(elapsedMs);
    const gzip = this.#options.gzip && /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
    const answer: Answer = gzip
      ? { status: 200, headers: { ...PLAYLIST, 'content-encoding': 'gzip' }, body: gzipSync(text) }
      : { status: 200, headers: PLAYLIST, body: text };
    if (await send(response, answer, twist)) {
      const atMs = this.#elapsedMs();
      this.#truth.playlistSent(
        shown.map((segment) => ({ ...segment, atMs })),
        ended,
      );
    }
  }

  #playlist(elapsedMs: number): {
    text: string;
    shown: Omit<Advertised, 'atMs'>[];
    ended: boolean;
  } {
    const head = headAt(this.#plan, this.#faults.frozenSince(elapsedMs) ?? elapsedMs);
    const era = eraAt(this.#eras, head);
    const { first, last, ended } = shownAt(this.#plan, head, era.oldest);
    const shown: Omit<Advertised, 'atMs'>[] = [];
    for (let index = first; index <= last; index++) {
      shown.push({ index, epoch: era.epoch, msn: index + era.shift });
    }
    const token = this.#options.tokens && Math.floor(elapsedMs / this.#options.tokens.rotateMs);
    const query = token === undefined ? '' : `?token=${token}`;
    const text = renderMedia({
      lines: shown.map((segment) => this.#line(segment, query)),
      mediaSequence: first + era.shift,
      discontinuitySequence: discontinuitySequence(this.#timeline, first),
      targetDurationMs: this.#plan.segmentMs,
      type: this.#options.vod ? 'VOD' : undefined,
      ended,
    });
    return { text, shown, ended };
  }

  #line({ index, msn }: Omit<Advertised, 'atMs'>, query: string): Line {
    const { set } = placeOf(this.#timeline, index);
    const name = this.#options.names === 'sequence' ? msn : index;
    const { programDateTime } = this.#options;
    const start = programDateTime === true ? this.#startedAt : programDateTime;
    return {
      uri: `${name}.${SUFFIX[set.container]}${query}`,
      durationMs: set.segmentMs,
      discontinuity: breaksBefore(this.#timeline, index),
      map: set.init && `init-${set.name}.mp4${query}`,
      programDateTime: start === false ? undefined : start + index * set.segmentMs,
    };
  }

  async #sendInit(response: ServerResponse, file: string): Promise<void> {
    const elapsedMs = this.#elapsedMs();
    const body = this.#inits.get(/^init-(\w+)\.mp4$/.exec(file)?.[1] ?? '');
    if (body === undefined) return await this.#refuse(response, 404, file);
    const twist = this.#faults.twist('init', elapsedMs);
    if (twist !== undefined) this.#truth.wentWrong(elapsedMs, twist.do, file);
    await send(response, { status: 200, headers: { 'content-type': 'video/mp4' }, body }, twist);
  }

  async #sendSegment(response: ServerResponse, file: string, token: string | null): Promise<void> {
    const elapsedMs = this.#elapsedMs();
    const index = this.#indexOfFile(file);
    if (index === undefined || !isKept(this.#plan, index, this.head)) {
      return await this.#refuse(response, 404, file);
    }
    const { tokens } = this.#options;
    if (tokens !== undefined) {
      const bornMs = token === null ? Number.NEGATIVE_INFINITY : Number(token) * tokens.rotateMs;
      // Written so that a token which is no number is refused too.
      if (!(elapsedMs < bornMs + tokens.validMs)) return await this.#refuse(response, 403, file);
    }
    const twist = this.#faults.twist('segment', elapsedMs, index);
    if (twist !== undefined) this.#truth.wentWrong(elapsedMs, twist.do, file);
    const headers = { 'content-type': SEGMENT[placeOf(this.#timeline, index).set.container] };
    const body = bodyOf(this.#timeline, index);
    if (await send(response, { status: 200, headers, body }, twist)) {
      this.#truth.segmentServed(index);
    }
  }

  #indexOfFile(file: string): number | undefined {
    const name = /^(\d+)\.(ts|m4s)$/.exec(file)?.[1];
    if (name === undefined) return undefined;
    if (this.#options.names === 'index') return Number(name);
    for (let { epoch } = eraAt(this.#eras, this.head); epoch >= 0; epoch--) {
      const index = indexOf(this.#eras, { epoch, msn: Number(name) });
      if (index !== undefined && index <= this.head) return index;
    }
    return undefined;
  }

  async #refuse(response: ServerResponse, status: number, file: string): Promise<void> {
    this.#truth.wentWrong(this.#elapsedMs(), String(status), file);
    await send(response, { status, body: 'not here\n' });
  }
}

function planOf(options: ResolvedOptions, set: MediaSet): WindowPlan {
  const count = set.segments.length;
  const window = options.window === 'all' ? Number.POSITIVE_INFINITY : options.window;
  if (options.vod) {
    const all = Number.POSITIVE_INFINITY;
    return { segmentMs: set.segmentMs, rate: 1, window: all, prefill: count, endAfter: count };
  }
  return {
    segmentMs: set.segmentMs,
    rate: options.rate,
    window,
    prefill: options.prefill ?? Math.min(window, PREFILL_DEFAULT),
    endAfter: options.endAfter ?? (options.loop ? Number.POSITIVE_INFINITY : count),
  };
}
