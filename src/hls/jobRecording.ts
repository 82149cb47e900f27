import path from 'node:path';
import type { Progress } from '../../machines/ports.ts';
import type { JobSpec } from '../../machines/vocabulary.ts';
import type { AddressRules } from '../egress/addressRules.ts';
import { checksumsOf } from '../recording/checksumsOf.ts';
import { probeFile, removeFile } from '../recording/files/mediaFiles.ts';
import { letGo } from '../recording/letGo.ts';
import type { Recording, RecordingEnd, RecordingOptions } from '../recording/recorder.ts';
import { writeStarted } from '../recording/writeStarted.ts';
import type { Taker } from './recordingPorts.ts';
import type { FirstPlaylist } from './recordingRun.ts';
import { RecordingTracks } from './recordingTracks.ts';
import { BeyondReach } from './segment/beyondReach.ts';
import { SegmentTaker } from './segment/segmentTaker.ts';
import { describedTracks, describeSource } from './source/describeSource.ts';
import { takeCookies } from './source/jobCookies.ts';
import type { ResolvePage } from './source/linkPage.ts';
import { MAIN_TRACK } from './source/linkSource.ts';
import { openSource } from './source/openSource.ts';
import { PageHeaders } from './source/pageHeaders.ts';
import { chooseRenditions } from './source/renditions.ts';
import { linksOf, SourceList } from './source/sourceList.ts';
import { TrackFeed } from './source/trackFeed.ts';
import { CookieJar } from './transport/cookieJar.ts';
import { countedTransport } from './transport/countedTransport.ts';
import { jobTransport } from './transport/jobTransport.ts';
import type { Transport } from './transport/transport.ts';

/** What the native engine is told besides what every recording is. */
export interface NativeOptions {
  /** Who finds out what is behind the job's links that are pages. Absent: every link is taken for a playlist. */
  readonly resolveLink?: ResolvePage | undefined;
  /** Who may be connected to. Absent: anybody. */
  readonly rules?: AddressRules | undefined;
}

export interface JobRecordingOptions extends RecordingOptions, NativeOptions {
  readonly transport: Transport;
}

/** What the recording begins with, and the renditions that are recorded beside it. */
interface Opened extends FirstPlaylist {
  readonly tracks: readonly string[];
}

/** From the first playlist to the end of all tracks: finds the sources, and lets the tracks run. */
export class JobRecording implements Recording {
  readonly #options: JobRecordingOptions;
  readonly #opening = new AbortController();
  /** Settled by earlier attempts. */
  readonly #before: number;
  #tracks: RecordingTracks | undefined;
  #stopping: 'duration' | 'stopped' | undefined;
  #broken: { readonly reason: unknown } | undefined;
  #beats = 0;
  #bytes = 0;

  constructor(options: JobRecordingOptions) {
    this.#options = options;
    this.#before = options.ledger.advertised;
  }

  get progress(): Progress {
    return {
      beats: this.#beats,
      bytes: this.#bytes,
      advertised: this.#before + (this.#tracks?.advertised ?? 0),
      settled: this.#before + (this.#tracks?.settled ?? 0),
    };
  }

  stop(why: 'duration' | 'stopped'): void {
    this.#stopping ??= why;
    this.#opening.abort(letGo);
    this.#tracks?.stop(why);
  }

  /** Lets go of everything; `run` rejects with the reason. */
  abort(reason: unknown): void {
    this.#broken ??= { reason };
    this.#opening.abort(reason);
    this.#tracks?.abort(reason);
  }

  /** Rejects with what `abort` was told, with the reason why there is no source to begin with, or with a bug. */
  async run(): Promise<RecordingEnd> {
    const { job, clock, ledger } = this.#options;
    const life = new AbortController();
    const { spec } = job;
    const cookies = new CookieJar();
    const headers = new PageHeaders(spec.headers);
    const transport = headers.over(transportOf(spec, cookies, this.#options));
    const { resolveLink } = this.#options;
    const bake = async (text: string) =>
      await takeCookies(cookies, text, { links: linksOf(spec), now: clock.now() });
    if (spec.cookies !== undefined) await bake(spec.cookies);
    const sources = new SourceList({
      spec,
      transport,
      clock,
      life: life.signal,
      ...(resolveLink && { pages: { resolveLink, headers, takeCookies: bake } }),
    });
    sources.hold(ledger.source);
    const main = this.#feed(MAIN_TRACK, sources);
    const feeds = new Map([[MAIN_TRACK, main]]);
    try {
      const first = ledger.startedAt === undefined ? await this.#open(main, sources) : undefined;
      if (first === 'stopped') return { why: this.#stopping ?? 'stopped', evidence: {} };
      const described = describedTracks(ledger.source).map(({ track }) => track);
      const tracks = first?.tracks ?? [...described, ...ledger.tracks];
      for (const track of tracks) {
        if (feeds.has(track)) continue;
        const feed = this.#feed(track, sources);
        // Redundant addresses, which are numbered behind the links, have no other tracks.
        if (first !== undefined && first.source < sources.links) feed.begin(first.source);
        feeds.set(track, feed);
      }
      return await this.#record({ feeds, transport, first, sources });
    } finally {
      life.abort(letGo);
      for (const track of feeds.keys()) await this.#removeProbe(track);
    }
  }

  /** Should it stay, it does no harm: nothing names it, and it says nothing about how the recording ended. */
  async #removeProbe(track: string): Promise<void> {
    const { directory, job } = this.#options;
    await removeFile(path.join(directory, probeFile(track, job.attempt))).catch(() => undefined);
  }

  async #record({
    feeds,
    transport,
    first,
    sources,
  }: {
    feeds: ReadonlyMap<string, TrackFeed>;
    transport: Transport;
    first: FirstPlaylist | undefined;
    sources: SourceList;
  }): Promise<RecordingEnd> {
    const { job, clock, ledger, writer, directory, random, log } = this.#options;
    const taker = new SegmentTaker({
      directory,
      attempt: job.attempt,
      transport: countedTransport(transport, (bytes) => {
        this.#beats++;
        this.#bytes += bytes;
      }),
      headers: {},
      clock,
      writer,
      inits: ledger.inits,
      checksums: checksumsOf(ledger),
    });
    this.#tracks = new RecordingTracks({
      feeds,
      patienceMs: job.spec.patienceMs,
      ledger,
      // What was begun goes on, with gaps: it may be the rest of what is wanted.
      taker: first === undefined ? taker : this.#withinReach(taker, sources),
      writer,
      clock,
      random,
      beat: () => void this.#beats++,
      log,
    });
    // It takes the first playlist before anything else: what was accepted has to be stored or named, also when told to stop.
    const running = this.#tracks.run(first);
    if (this.#broken !== undefined) this.#tracks.abort(this.#broken.reason);
    if (this.#stopping !== undefined) this.#tracks.stop(this.#stopping);
    return await running;
  }

  #withinReach(taker: Taker, sources: SourceList): Taker {
    return new BeyondReach({
      taker,
      isAlone: (track) => track === MAIN_TRACK && sources.count(track) === 1,
      onRefused: (refusal) => this.abort(refusal),
    });
  }

  #feed(track: string, sources: SourceList): TrackFeed {
    const { clock, log, job } = this.#options;
    return new TrackFeed({ track, sources, dual: job.spec.dual ?? false, clock, log });
  }

  /** The first playlist of the whole recording; from here its duration counts. */
  async #open(feed: TrackFeed, sources: SourceList): Promise<Opened | 'stopped'> {
    const { clock, job, writer, onStarted, log } = this.#options;
    const { signal } = this.#opening;
    let first: FirstPlaylist;
    try {
      const { waitMs } = job.spec;
      first = await openSource({
        feed,
        clock,
        waitMs,
        signal,
        tried: () => this.#beats++,
        waiting: ({ code, message }) =>
          log('The stream is not there yet; it is waited for.', { code, message, waitMs }),
      });
    } catch (error) {
      if (this.#stopping === undefined || this.#broken !== undefined) throw error;
      return 'stopped';
    }
    const { source } = first;
    feed.begin(source);
    const resolution = sources.resolution(source);
    if (resolution === undefined) throw new Error('a source has answered before its link');
    const { variant } = resolution;
    const chosen = variant === undefined ? [] : chooseRenditions(variant, job.spec);
    const description = describeSource(resolution, {
      source,
      chosen,
      link: linksOf(job.spec)[source],
    });
    sources.hold(description);
    this.#beats++;
    const at = await writeStarted({ clock, writer, source: description, signal });
    if (this.#broken !== undefined) throw this.#broken.reason;
    log('The recording starts.', description);
    onStarted(at);
    return { ...first, tracks: chosen.map(({ track }) => track) };
  }
}

/** Each job has its own cookies, headers and proxy, whatever it shares with others. */
const transportOf = (
  spec: JobSpec,
  cookies: CookieJar,
  { transport, rules }: Pick<JobRecordingOptions, 'transport' | 'rules'>,
): Transport =>
  jobTransport(transport, {
    sources: linksOf(spec),
    cookies,
    ...(rules && { rules }),
    ...(spec.headers && { headers: spec.headers }),
    ...(spec.proxy !== undefined && { proxy: spec.proxy }),
  });
