import type { Cage, CageNetwork } from '../cage/cage.ts';
import { type CageMode, openCage } from '../cage/openCage.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { type AddressRules, nodeRules } from '../egress/addressRules.ts';
import { type EgressGate, egressGate } from '../egress/egressGate.ts';
import type { QuestionParts } from '../intake/cagedQuestion.ts';
import type { ResolveLink } from '../intake/link.ts';
import { ytDlpResolver } from '../intake/ytDlpResolver.ts';
import { findTools } from './findTools.ts';
import type { ProgramLimits } from './programSettings.ts';
import { leaveQuestionPlace, questionPlace, sweepQuestionPlaces } from './questionPlaces.ts';
import type { FoundTool } from './recorderPlugin.ts';

/** What the operator of the node says about programs. */
export interface ProgramSettings {
  readonly searchPath: string;
  readonly ffmpeg?: string | undefined;
  readonly ytDlp?: string | undefined;
  readonly streamlink?: string | undefined;
  /** What may be reached although it is not public, separated by commas. */
  readonly allow: string;
  readonly sandbox: CageMode;
  readonly toolMemoryMiB: number;
}

export interface ProgramKitOptions {
  readonly settings: ProgramSettings;
  /** For what programs need on the disk besides their work directories. Made when it is not there. */
  readonly runDirectory: string;
  /** In the environment of every program, so that a later life of the node finds it. */
  readonly marker: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly log: Log;
}

/** The largest share of a machine that one recording may take, cores: copying a stream takes hundredths of one. */
const CORES_MAX = 2;
/** Programs put media on their standard output: a file of theirs is a page's cookies, or a mistake. Bytes. */
const FILE_BYTES_MAX = 1024 ** 3;
const OPEN_FILES_MAX = 1_024;
/** yt-dlp starts ffmpeg, streamlink a thread for each segment; together they stay below thirty. */
const PROCESSES_MAX = 128;
/** What ffmpeg says of the worst of streams, a line for every packet, is a tenth of it. */
const LOG_BYTES_PER_MINUTE_MAX = 16 * 1024 * 1024;
/** Tools that are missing may have been installed, and one that did not answer may have had no time to; milliseconds. */
const LOOK_FOR_MISSING_MS = 60_000;
/** One for the proxy; programs that need relays have networks of their own. */
const SHARED_LISTENERS = { tcp: 1, udp: 0 };

/** What the programs of one process share. Each part is made when it is first wanted: who records plain HLS needs none of them. */
export class ProgramKit {
  readonly nodePath = process.execPath;
  readonly limits: ProgramLimits;
  readonly marker: Readonly<Record<string, string>>;
  readonly gate: EgressGate;
  readonly #options: ProgramKitOptions;
  #cage: Promise<Cage> | undefined;
  #network: Promise<CageNetwork> | undefined;
  #tools: Promise<ReadonlyMap<string, FoundTool>> | undefined;
  #toolsSoughtAt = 0;

  constructor(options: ProgramKitOptions) {
    const { settings, clock, log } = options;
    this.#options = options;
    this.marker = options.marker;
    this.gate = egressGate({ clock, log });
    sweepQuestionPlaces(options.runDirectory);
    this.limits = {
      memoryBytesMax: settings.toolMemoryMiB * 1024 ** 2,
      coresMax: CORES_MAX,
      logBytesPerMinuteMax: LOG_BYTES_PER_MINUTE_MAX,
      fileBytesMax: FILE_BYTES_MAX,
      openFilesMax: OPEN_FILES_MAX,
      processesMax: PROCESSES_MAX,
    };
  }

  /** Who may be connected to for a job that may reach these besides what is public. Throws `usage.invalid`. */
  rules(reach: readonly string[] = []): AddressRules {
    return nodeRules(this.#options.settings.allow, reach);
  }

  async cage(): Promise<Cage> {
    const { settings, runDirectory, clock, log, marker } = this.#options;
    const { sandbox: mode, searchPath } = settings;
    const { nodePath } = this;
    const options = { mode, searchPath, nodePath, runDirectory, clock, log, marker };
    // The next one may succeed: the disk was full, say.
    this.#cage ??= openCage(options).catch((error: unknown) => {
      this.#cage = undefined;
      throw error;
    });
    return await this.#cage;
  }

  /** The network of all programs that get out by the proxy alone; another one once it is broken. Rejects with `sandbox.unavailable`. */
  async sharedNetwork(): Promise<CageNetwork> {
    this.#network ??= this.#openNetwork();
    const opening = this.#network;
    const network = await opening;
    if (network.isOpen !== false) return network;
    if (this.#network === opening) {
      network.close();
      this.#network = undefined;
    }
    this.#network ??= this.#openNetwork();
    return await this.#network;
  }

  async #openNetwork(): Promise<CageNetwork> {
    try {
      return await (await this.cage()).network(SHARED_LISTENERS);
    } catch (error) {
      // The next one may succeed: a process could not be made, say.
      this.#network = undefined;
      throw error;
    }
  }

  /** The programs that are there, by the names of their commands. Looked for once, and now and then as long as any is missing. */
  async tools(): Promise<ReadonlyMap<string, FoundTool>> {
    const { settings, clock } = this.#options;
    const { searchPath, ffmpeg, ytDlp, streamlink } = settings;
    const given = { ffmpeg, 'yt-dlp': ytDlp, streamlink };
    const known = this.#tools;
    const isOld = clock.elapsed() - this.#toolsSoughtAt >= LOOK_FOR_MISSING_MS;
    const isMissing =
      known !== undefined && isOld && (await known).size < Object.keys(given).length;
    if (this.#tools === undefined || (isMissing && this.#tools === known)) {
      this.#toolsSoughtAt = clock.elapsed();
      this.#tools = findTools({ searchPath, given });
    }
    return await this.#tools;
  }

  /** What it takes to ask a program something. */
  async questions(): Promise<QuestionParts> {
    const workRoot = questionPlace(this.#options.runDirectory);
    return {
      cage: await this.cage(),
      gate: this.gate,
      network: await this.sharedNetwork(),
      rules: (reach) => this.rules(reach),
      clock: this.#options.clock,
      workRoot,
      limits: this.limits,
    };
  }

  /** Who reads pages; undefined when there is no yt-dlp. */
  async pages(): Promise<ResolveLink | undefined> {
    const tool = (await this.tools()).get('yt-dlp');
    if (tool === undefined) return undefined;
    const { nodePath } = this;
    return async (link, wishes) =>
      await ytDlpResolver({ ...(await this.questions()), tool, nodePath })(link, wishes);
  }

  async close(): Promise<void> {
    await this.gate.close();
    (await this.#cage)?.close();
    leaveQuestionPlace(this.#options.runDirectory);
  }
}
