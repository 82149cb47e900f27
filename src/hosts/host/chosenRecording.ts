import type { Progress } from '../../../machines/ports.ts';
import { pause } from '../../core/clock.ts';
import { isKennelError, type KennelError, type KennelErrorCode } from '../../core/errors.ts';
import type { ResolvedLink } from '../../intake/link.ts';
import { linkKind } from '../../intake/linkKind.ts';
import { nameDown } from '../../programs/nameDown.ts';
import { letGo } from '../../recording/letGo.ts';
import type {
  MakeRecording,
  Recording,
  RecordingEnd,
  RecordingOptions,
} from '../../recording/recorder.ts';
import { RecorderFell } from '../../recording/recorderExit.ts';
import { isOurs, waitForLink } from './waitForLink.ts';

/** The native engine's name among recorders. */
export const NATIVE = 'native';

/** Signs of life while a link is being looked at, milliseconds: heartbeatDoggy looks every two seconds. */
const BEAT_MS = 1_000;

/** Who records what. */
export interface Choices {
  /** HLS; `resolve` tells what is behind its pages, and is asked again when addresses run out. */
  native(resolve?: Resolve): MakeRecording;
  /** A program: the named one, or whichever does it best. Rejects when there is none, with what would do. */
  program(source: ProgramChoice): Promise<MakeRecording>;
  /** Whether a program of this name reads pages itself. */
  readsPages(name: string): Promise<boolean>;
  resolve: Resolve;
}

export type Resolve = (link: URL, signal: AbortSignal) => Promise<ResolvedLink>;

export interface ProgramChoice {
  readonly name: string | undefined;
  readonly link: ResolvedLink;
  resolve(signal: AbortSignal): Promise<ResolvedLink>;
}

/** A recording of which nobody knows who makes it before somebody has looked at its link. */
class ChosenRecording implements Recording {
  readonly #choices: Choices;
  readonly #options: RecordingOptions;
  readonly #choosing = new AbortController();
  readonly #life = new AbortController();
  #recording: Recording | undefined;
  #stopping: 'duration' | 'stopped' | undefined;
  #broken: { readonly reason: unknown } | undefined;
  #beats = 0;
  /** The source was asked, and is not there. */
  #isAway = false;

  constructor(choices: Choices, options: RecordingOptions) {
    this.#choices = choices;
    this.#options = options;
  }

  get progress(): Progress {
    const { advertised } = this.#options.ledger;
    const known = this.#recording?.progress;
    if (known !== undefined) return { ...known, beats: known.beats + this.#beats };
    return { beats: this.#beats, bytes: 0, advertised, settled: advertised };
  }

  stop(why: 'duration' | 'stopped'): void {
    this.#stopping ??= why;
    this.#choosing.abort(letGo);
    this.#recording?.stop(why);
  }

  abort(reason: unknown): void {
    this.#broken ??= { reason };
    this.#choosing.abort(reason);
    this.#life.abort(reason);
    this.#recording?.abort(reason);
  }

  async run(): Promise<RecordingEnd> {
    const over = new AbortController();
    const beating = this.#beat(over.signal);
    let make: MakeRecording;
    try {
      make = await this.#choose();
    } catch (error) {
      if (this.#broken !== undefined) throw this.#broken.reason;
      if (this.#stopping !== undefined) return await this.#stopped(this.#stopping);
      return this.#endBy(error);
    } finally {
      over.abort(letGo);
      await beating;
    }
    if (this.#broken !== undefined) throw this.#broken.reason;
    this.#recording = make(this.#options);
    if (this.#stopping !== undefined) this.#recording.stop(this.#stopping);
    return await this.#recording.run();
  }

  async #choose(): Promise<MakeRecording> {
    const { job, ledger, log } = this.#options;
    const { recorder } = job.spec;
    const link = new URL(job.spec.url);
    // What was begun is gone on with: another recorder's numbers would be another epoch.
    const begunBy =
      ledger.startedAt === undefined ? undefined : (ledger.source?.['recorder'] ?? NATIVE);
    const name = recorder ?? (typeof begunBy === 'string' ? begunBy : undefined);
    const choices = this.#choices;
    if (name === NATIVE)
      return choices.native(linkKind(link) === 'page' ? choices.resolve : undefined);
    if (name !== undefined && (linkKind(link) !== 'page' || (await choices.readsPages(name)))) {
      return await choices.program({ name, link: direct(link), resolve: async () => direct(link) });
    }
    const first = await this.#resolved(link);
    const { kind, resolver, title } = first;
    log('The link was looked at.', {
      kind,
      ...(resolver && { resolver }),
      ...(title && { title }),
    });
    if (kind === 'hls' && name === undefined) {
      return choices.native(
        resolver === undefined ? undefined : told(first, choices.resolve, link),
      );
    }
    const resolve = told(first, choices.resolve, link);
    return await choices.program({
      name,
      link: first,
      resolve: async (signal) => await resolve(link, signal),
    });
  }

  /** What is behind the link; asked again for as long as the job may wait, when that may change. */
  async #resolved(link: URL): Promise<ResolvedLink> {
    const { clock, job, ledger, log } = this.#options;
    const { waitMs, patienceMs } = job.spec;
    return await waitForLink({
      ask: async (signal) => await this.#choices.resolve(link, signal),
      clock,
      signal: this.#choosing.signal,
      waitMs: ledger.startedAt === undefined ? waitMs : patienceMs,
      waiting: ({ code, message }) => {
        this.#isAway = true;
        log('The link is waited for.', { code, message });
      },
    });
  }

  /** Nobody was chosen yet. What a program had begun was not recorded meanwhile, unless its source was not there. */
  async #stopped(why: 'duration' | 'stopped'): Promise<RecordingEnd> {
    if (!this.#isAway) await nameDown({ ...this.#options, signal: this.#life.signal });
    return { why, evidence: {} };
  }

  /** Nobody could be chosen. What was recorded has come to its end when its source is gone, and is no failure. */
  #endBy(error: unknown): RecordingEnd {
    if (!isKennelError(error)) throw error;
    const { code, message, details, retryable } = error;
    const evidence = { ...details, code, message };
    if (isOurs(error)) throw new RecorderFell({ kind: 'crashed', why: code, retryable, evidence });
    if (this.#options.ledger.startedAt === undefined || !mayBeGone(error)) throw error;
    return { why: code === 'source.notLive' ? 'source.ended' : 'source.vanished', evidence };
  }

  async #beat(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#beats++;
      await pause(this.#options.clock, BEAT_MS, signal);
    }
  }
}

/** What was there and is not any more, for the whole patience. Everything else is something that a person has to see to. */
const GONE: ReadonlySet<KennelErrorCode> = new Set([
  'source.notFound',
  'source.unavailable',
  'source.refused',
  'source.vanished',
  'source.notLive',
  'timeout.exceeded',
]);

const mayBeGone = ({ code }: KennelError): boolean => GONE.has(code);

const direct = (url: URL): ResolvedLink => ({ kind: linkKind(url), url, headers: {}, formats: [] });

/** Answers the first question about this link with what is known already. */
function told(first: ResolvedLink, resolve: Resolve, link: URL): Resolve {
  let fresh: ResolvedLink | undefined = first;
  return async (asked, signal) => {
    const known = asked.href === link.href ? fresh : undefined;
    if (known === undefined) return await resolve(asked, signal);
    fresh = undefined;
    return known;
  };
}

/** Recordings of links of any kind. */
export const chosenRecording =
  (choicesOf: (options: RecordingOptions) => Choices): MakeRecording =>
  (options) =>
    new ChosenRecording(choicesOf(options), options);

/** Who records, as far as it is known before the link was looked at; for the journal. */
export const recorderName = ({
  url,
  recorder,
}: {
  readonly url: string;
  readonly recorder?: string;
}): string => recorder ?? (linkKind(new URL(url)) === 'hls' ? NATIVE : 'auto');
