import type { IncomingMessage, ServerResponse } from 'node:http';
import { CHECKSUMS_DEFAULT, contentHash } from '../../../src/ledger/contentHash.ts';
import type { ChecksumAlgorithm } from '../../../src/ledger/record.ts';
import { type Answer, send } from './answer.ts';
import { encoded } from './encoding.ts';
import { encrypt, keyNumber, keyOf } from './encryption.ts';
import { type Fault, FaultBoard, type Twist } from './faults.ts';
import { admitsMedia, admitsPlaylist, cookieHeader, playlistQuery } from './gate.ts';
import { holdBack, isThere, type Moment } from './holdBack.ts';
import { headAt, isKept, type WindowPlan } from './liveWindow.ts';
import type { Described } from './masterText.ts';
import { mediaNamed, type NamedMedia } from './mediaFiles.ts';
import type { MediaSet } from './mediaSet.ts';
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
import { awaitedBy, partCount, partOf, wantsDelta } from './parts.ts';
import { planOf } from './planOf.ts';
import type { Reach } from './reach.ts';
import { reachOf } from './reach.ts';
import type { ShowClock } from './showClock.ts';
import type { ResolvedOptions } from './streamOptions.ts';
import { bodyOf, placeOf, type Timeline } from './timeline.ts';
import { type Truth, TruthKeeper } from './truth.ts';

const PLAYLIST = { 'content-type': 'application/vnd.apple.mpegurl', 'cache-control': 'no-cache' };
const SEGMENT = {
  ts: 'video/mp2t',
  fmp4: 'video/iso.segment',
  packed: 'audio/aac',
  webvtt: 'text/vtt',
} as const;

export interface OriginStreamParts {
  /** The only clock of everything but delays within an answer. */
  readonly clock: ShowClock;
  /** Loads a media set. */
  set(name: string): Promise<MediaSet>;
}

/** One live stream: what it offers, how it misbehaves, and what it really did. Indexes count segments from 0 for ever. */
export class OriginStream {
  readonly name: string;
  readonly #options: ResolvedOptions;
  readonly #timeline: Timeline;
  readonly #inits: ReadonlyMap<string, Uint8Array>;
  readonly #clock: ShowClock;
  readonly #faults = new FaultBoard();
  readonly #truth = new TruthKeeper();
  readonly #startedAt = Date.now();
  #plan: WindowPlan;
  #renumberings: readonly Renumbering[];
  #eras: readonly Era[];

  #playlistsAsked = 0;

  static async load(
    name: string,
    resolved: ResolvedOptions,
    { clock, set: setNamed }: OriginStreamParts,
  ): Promise<OriginStream> {
    const first = { at: 0, set: await setNamed(resolved.set) };
    const later = resolved.switches.map(async ({ at, set }) => ({ at, set: await setNamed(set) }));
    const sections = [first, ...(await Promise.all(later))] as const;
    if (resolved.encryption && sections.some(({ set }) => set.container !== 'ts')) {
      throw new Error('only MPEG-TS sets can be encrypted: the key would cover EXT-X-MAP as well');
    }
    return new OriginStream(name, { options: resolved, sections, clock });
  }

  private constructor(
    name: string,
    parts: {
      options: ResolvedOptions;
      sections: Timeline['sections'];
      clock: ShowClock;
    },
  ) {
    const { options, sections } = parts;
    this.name = name;
    this.#options = options;
    this.#clock = parts.clock;
    this.#timeline = {
      sections,
      extraBreaks: options.discontinuities,
      repeats: options.repeats,
    };
    const sets = new Map(sections.map(({ set }) => [set.name, set.initBody]));
    this.#inits = new Map([...sets].flatMap(([set, body]) => (body ? [[set, body] as const] : [])));
    this.#plan = planOf(options, sections[0].set);
    this.#renumberings = options.renumberings;
    this.#eras = erasOf(options.startSequence, this.#renumberings);
    for (const fault of options.faults) this.fault({ fromMs: 0, ...fault });
  }

  /** Index of the newest segment, −1 when there is none yet. */
  get head(): number {
    return headAt(this.#plan, this.#clock.elapsedMs());
  }

  /** Lets something go wrong, from now on unless it says otherwise. */
  fault(fault: Fault): void {
    this.#faults.post(fault, this.#clock.elapsedMs());
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
    return this.#truth.read(this.#clock.elapsedMs(), this.head);
  }

  get door(): string | undefined {
    return this.#options.door;
  }

  get clock(): ShowClock {
    return this.#clock;
  }

  /** Where its playlist is, seen from the origin's root, as a master playlist names it now. */
  get path(): string {
    const query = playlistQuery(this.#options, this.#clock.elapsedMs());
    return `live/${this.name}/index.m3u8${query}`;
  }

  /** This stream's line in a master playlist. */
  described(): Described {
    return { ...this.#timeline.sections[0].set, uri: this.path };
  }

  /** How many segments it has in all; Infinity while it has no end. */
  get length(): number {
    return this.#plan.endAfter;
  }

  /** Milliseconds after its start at which the playlist says that it is over; Infinity while it has no end. */
  get endsAtMs(): number {
    return ((this.#plan.endAfter - this.#plan.prefill) * this.#plan.segmentMs) / this.#plan.rate;
  }

  /** The hashes of the packets that a segment carries, in order. */
  packetsOf(index: number): {
    readonly video: readonly string[];
    readonly audio: readonly string[];
  } {
    const { set, position } = placeOf(this.#timeline, index);
    const segment = set.segments[position];
    if (segment === undefined) throw new Error(`set ${set.name} has no segment ${position}`);
    return segment;
  }

  /** Which segments anybody could have fetched at all, by what is scheduled now. See reach.ts. */
  reach(isOpen: (elapsedMs: number) => boolean): Reach {
    return reachOf({
      plan: this.#plan,
      eras: this.#eras,
      faults: this.#faults,
      gaps: this.#options.gaps,
      isOpen,
    });
  }

  /** Answers a request for one of this stream's files. Resolves when the answer is over, one way or the other. */
  async handle(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const file = fileOf(url);
    const hop = Number(url.searchParams.get('moved') ?? 0);
    if (hop < Number(this.#options.redirect)) {
      url.searchParams.set('moved', String(hop + 1));
      const headers = { location: `${url.pathname}${url.search}` };
      await send(response, { status: 302, headers, body: '' });
    } else if (file === 'index.m3u8') {
      this.#clock.begin();
      await this.#sendPlaylist(request, response, url);
    } else if (!this.#admits(request, url)) {
      await this.#refuse(response, 403, file);
    } else if (file.endsWith('.mp4')) {
      await this.#sendInit(response, file);
    } else if (file.endsWith('.bin')) {
      await this.#sendKey(response, file);
    } else {
      await this.#sendSegment(request, response, file);
    }
  }

  #admits({ headers: { cookie } }: IncomingMessage, url: URL): boolean {
    return admitsMedia(this.#options, { url, cookie, elapsedMs: this.#clock.elapsedMs() });
  }

  async #sendPlaylist(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const refusal = await this.#holdBack(response, url);
    if (refusal !== undefined) return await this.#refuse(response, refusal, 'index.m3u8');
    const elapsedMs = this.#clock.elapsedMs();
    const twist = this.#twist('playlist', 'index.m3u8');
    const { stale } = this.#options;
    const isStale = stale !== undefined && ++this.#playlistsAsked % stale.every === 0;
    const head = headAt(this.#plan, this.#faults.frozenSince(elapsedMs) ?? elapsedMs);
    const { text, shown, ended } = offer({
      options: this.#options,
      timeline: this.#timeline,
      eras: this.#eras,
      plan: this.#plan,
      head: isStale ? Math.max(-1, head - stale.behind) : head,
      elapsedMs,
      startedAt: this.#startedAt,
      wantsDelta: wantsDelta(url),
      rangeOf: (index) => this.#rangeOf(index),
    });
    const { headers, body } = encoded(text, request.headers['accept-encoding'], this.#options);
    const allHeaders = { ...PLAYLIST, ...cookieHeader(this.#options), ...headers };
    const answer: Answer = { status: 200, headers: allHeaders, body };
    if (await send(response, answer, twist)) {
      const atMs = this.#clock.elapsedMs();
      this.#truth.playlistSent(
        shown.map((segment) => ({ ...segment, atMs })),
        ended,
      );
    }
  }

  /** Waits for what a blocking reload asks for. Resolves with the status of a refusal, if it is one. */
  async #holdBack(response: ServerResponse, url: URL): Promise<number | undefined> {
    if (!admitsPlaylist(this.#options, url, this.#clock.elapsedMs())) return 403;
    const awaited = this.#options.lowLatency?.blocks ? awaitedBy(url) : undefined;
    if (awaited === undefined) return undefined;
    const index = awaited.msn - eraAt(this.#eras, this.head).shift;
    return await holdBack({
      ...this.#now(),
      aheadBy: index - this.head,
      isThere: () => isThere(this.#now(), { ...awaited, index }),
      isGone: () => response.destroyed,
    });
  }

  #now(): Moment {
    const { partMs = this.#plan.segmentMs } = this.#options.lowLatency ?? {};
    const elapsedMs = this.#clock.elapsedMs();
    return { plan: this.#plan, partMs, head: this.head, elapsedMs };
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

  async #sendSegment(
    request: IncomingMessage,
    response: ServerResponse,
    file: string,
  ): Promise<void> {
    const range = this.#options.byteRanges ? (request.headers.range ?? '') : undefined;
    const named = range === undefined ? this.#named(file) : this.#indexOfRange(range);
    if (named === undefined || !this.#has(named)) return await this.#refuse(response, 404, file);
    const { index, part } = named;
    const twist = this.#twist('segment', file, index);
    const type = SEGMENT[placeOf(this.#timeline, index).set.container];
    const headers: Record<string, string> = { 'content-type': type };
    const whole = this.#wire(index);
    const { partMs = this.#plan.segmentMs } = this.#options.lowLatency ?? {};
    const body = part === undefined ? whole : partOf(whole, part, partCount(this.#plan, partMs));
    if (range !== undefined) {
      const { offset, bytes } = this.#rangeOf(index);
      headers['content-range'] = `bytes ${offset}-${offset + bytes - 1}/*`;
    }
    const answer = { status: range === undefined ? 200 : 206, headers, body };
    if ((await send(response, answer, twist)) && part === undefined) {
      this.#truth.segmentServed(index);
    }
  }

  #has({ index, part }: NamedMedia): boolean {
    if (this.#options.gaps.includes(index)) return false;
    if (isKept(this.#plan, index, this.head)) return true;
    return part !== undefined && index > this.head && isThere(this.#now(), { index, part });
  }

  /** The fault that spoils this answer, if one does; counts it and writes it down. */
  #twist(on: Fault['on'], file: string, index?: number): Twist | undefined {
    const elapsedMs = this.#clock.elapsedMs();
    const twist = this.#faults.twist(on, elapsedMs, index);
    if (twist !== undefined) this.#truth.wentWrong(elapsedMs, twist.do, file);
    return twist;
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
  #indexOfRange(header: string): NamedMedia | undefined {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(header) ?? [];
    for (let index = 0; index <= this.head; index++) {
      const { offset, bytes } = this.#rangeOf(index);
      if (offset === Number(from)) return offset + bytes - 1 === Number(to) ? { index } : undefined;
    }
    return undefined;
  }

  #named(file: string): NamedMedia | undefined {
    return mediaNamed(file, { names: this.#options.names, eras: this.#eras, head: this.head });
  }

  async #refuse(response: ServerResponse, status: number, file: string): Promise<void> {
    this.#truth.wentWrong(this.#clock.elapsedMs(), String(status), file);
    await send(response, { status, body: 'not here\n' });
  }
}

const fileOf = (url: URL): string => url.pathname.split('/').at(-1) ?? '';
