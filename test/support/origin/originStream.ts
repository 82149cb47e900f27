import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { CHECKSUMS_DEFAULT, contentHash } from '../../../src/ledger/contentHash.ts';
import type { ChecksumAlgorithm } from '../../../src/ledger/record.ts';
import { type Answer, send } from './answer.ts';
import { encrypt, keyNumber, keyOf } from './encryption.ts';
import { type Fault, FaultBoard, type Twist } from './faults.ts';
import { headAt, isKept, type WindowPlan } from './liveWindow.ts';
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
import { offer } from './offer.ts';
import type { Variant } from './playlistText.ts';
import { type ResolvedOptions, StreamOptions } from './streamOptions.ts';
import { bodyOf, placeOf, type Timeline } from './timeline.ts';
import { type Truth, TruthKeeper } from './truth.ts';

const PLAYLIST = { 'content-type': 'application/vnd.apple.mpegurl', 'cache-control': 'no-cache' };
const SEGMENT = { ts: 'video/mp2t', fmp4: 'video/iso.segment' } as const;

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
    if (resolved.encryption && sections.some(({ set }) => set.container !== 'ts')) {
      throw new Error('only MPEG-TS sets can be encrypted: the key would cover EXT-X-MAP as well');
    }
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

  /** Of a segment's bytes, hex; by default as Kennel says what it stored. */
  checksumOf(index: number, algorithm: ChecksumAlgorithm = CHECKSUMS_DEFAULT): string {
    const { set, position } = placeOf(this.#timeline, index);
    const body = set.bodies[position];
    if (body === undefined) throw new Error(`set ${set.name} has no segment ${position}`);
    const hash = contentHash(algorithm);
    hash.update(body);
    return hash.digest();
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
    const file = fileOf(url);
    if (this.#options.redirect && !url.searchParams.has('moved')) {
      url.searchParams.set('moved', '1');
      const headers = { location: `${url.pathname}${url.search}` };
      await send(response, { status: 302, headers, body: '' });
    } else if (file === 'index.m3u8') {
      await this.#sendPlaylist(request, response);
    } else if (file.endsWith('.mp4')) {
      await this.#sendInit(response, file);
    } else if (file.endsWith('.bin')) {
      await this.#sendKey(response, file);
    } else {
      await this.#sendSegment(request, response, url);
    }
  }

  async #sendPlaylist(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const elapsedMs = this.#elapsedMs();
    const twist = this.#twist('playlist', 'index.m3u8');
    const { text, shown, ended } = offer({
      options: this.#options,
      timeline: this.#timeline,
      eras: this.#eras,
      plan: this.#plan,
      head: headAt(this.#plan, this.#faults.frozenSince(elapsedMs) ?? elapsedMs),
      elapsedMs,
      startedAt: this.#startedAt,
      rangeOf: (index) => this.#rangeOf(index),
    });
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

  async #sendInit(response: ServerResponse, file: string): Promise<void> {
    const body = this.#inits.get(/^init-(\w+)\.mp4$/.exec(file)?.[1] ?? '');
    if (body === undefined) return await this.#refuse(response, 404, file);
    const answer = { status: 200, headers: { 'content-type': 'video/mp4' }, body };
    await send(response, answer, this.#twist('init', file));
  }

  async #sendKey(response: ServerResponse, file: string): Promise<void> {
    const number = /^key-(\d+)\.bin$/.exec(file)?.[1];
    const { encryption } = this.#options;
    const known = number !== undefined && encryption !== undefined;
    if (!known || Number(number) > keyNumber(encryption, this.head)) {
      return await this.#refuse(response, 404, file);
    }
    const answer = { status: 200, body: keyOf(Number(number)) };
    await send(response, answer, this.#twist('key', file));
  }

  async #sendSegment(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const file = fileOf(url);
    const range = this.#options.byteRanges ? (request.headers.range ?? '') : undefined;
    const index = range === undefined ? this.#indexOfFile(file) : this.#indexOfRange(range);
    const gap = index !== undefined && this.#options.gaps.includes(index);
    if (index === undefined || gap || !isKept(this.#plan, index, this.head)) {
      return await this.#refuse(response, 404, file);
    }
    if (!this.#admits(url.searchParams.get('token'))) {
      return await this.#refuse(response, 403, file);
    }
    const twist = this.#twist('segment', file, index);
    const type = SEGMENT[placeOf(this.#timeline, index).set.container];
    const headers: Record<string, string> = { 'content-type': type };
    const body = this.#wire(index);
    if (range !== undefined) {
      const { offset, bytes } = this.#rangeOf(index);
      headers['content-range'] = `bytes ${offset}-${offset + bytes - 1}/*`;
    }
    const answer = { status: range === undefined ? 200 : 206, headers, body };
    if (await send(response, answer, twist)) this.#truth.segmentServed(index);
  }

  /** The fault that spoils this answer, if one does; counts it and writes it down. */
  #twist(on: Fault['on'], file: string, index?: number): Twist | undefined {
    const elapsedMs = this.#elapsedMs();
    const twist = this.#faults.twist(on, elapsedMs, index);
    if (twist !== undefined) this.#truth.wentWrong(elapsedMs, twist.do, file);
    return twist;
  }

  #admits(token: string | null): boolean {
    const { tokens } = this.#options;
    if (tokens === undefined) return true;
    if (token === null || !/^\d+$/.test(token)) return false;
    return this.#elapsedMs() < Number(token) * tokens.rotateMs + tokens.validMs;
  }

  /** A segment's bytes as they are sent. */
  #wire(index: number): Uint8Array {
    const body = bodyOf(this.#timeline, index);
    const { encryption } = this.#options;
    if (encryption === undefined) return body;
    return encrypt(encryption, { index, msn: this.labelOf(index).msn }, body);
  }

  #rangeOf(index: number): { offset: number; bytes: number } {
    let offset = 0;
    for (let before = 0; before < index; before++) offset += this.#wire(before).length;
    return { offset, bytes: this.#wire(index).length };
  }

  /** Only whole segments are served: any other range is as good as unknown. */
  #indexOfRange(header: string): number | undefined {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(header) ?? [];
    for (let index = 0; index <= this.head; index++) {
      const { offset, bytes } = this.#rangeOf(index);
      if (offset === Number(from)) return offset + bytes - 1 === Number(to) ? index : undefined;
    }
    return undefined;
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

const fileOf = (url: URL): string => url.pathname.split('/').at(-1) ?? '';

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
