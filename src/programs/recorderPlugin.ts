import type { KennelErrorCode } from '../core/errors.ts';
import type { LinkKind } from '../intake/link.ts';
import type { VersionQuestion } from '../process/programVersion.ts';

/**
 * A program that can record. A new one is one file in `plugins/` and one line in `plugins.ts`. Everything here is pure: it says
 * what to start and what was meant; starting, watching, caging and storing are the same for all.
 */
export interface RecorderPlugin {
  /** As in `--recorder NAME`, and in the journal. */
  readonly name: string;
  readonly tool: ToolRequirement;
  /** How well it records such a source: 0 not at all, 1 when it must, 10 better than anything else. */
  fitness(source: ProgramSource): number;
  /** What to start. It puts MPEG-TS or fragmented MP4 on its standard output, and nothing else there. */
  command(order: ProgramOrder): ProgramCommand;
  /** What a line of its standard error tells; undefined when it is none of these. */
  parseLine(line: string): ProgramNews | undefined;
  /** Whose fault an exit is, and whether trying again can help. */
  explainExit(exit: ProgramExit): ExitExplanation;
}

/** Which program a plugin needs. */
export interface ToolRequirement extends VersionQuestion {
  /** Looked for on the search path, unless the configuration names one. */
  readonly command: string;
  /** Versions below are refused, with the reason; compared number by number. */
  readonly minimum: { readonly version: string; readonly because: string };
  /** Versions below work, but worse: what the doctor says of them. */
  readonly advised?: { readonly version: string; readonly because: string };
  /** How to get it. */
  readonly advice: string;
}

/** What is to be recorded. */
export interface ProgramSource {
  readonly kind: LinkKind;
  /** The address of the media; for tools that resolve pages themselves (`wantsPage`), the page. */
  readonly url: URL;
  readonly audioUrl?: URL;
  readonly isLive?: boolean;
  /** Codecs as RFC 6381 or yt-dlp name them, where they are known: what does not fit into MPEG-TS goes into fragmented MP4. */
  readonly videoCodec?: string;
  readonly audioCodec?: string;
}

export interface ProgramOrder {
  readonly source: ProgramSource;
  readonly quality: readonly string[];
  readonly format?: string;
  readonly audioOnly: boolean;
  /** Secret: only in files (`ProgramCommand.files`). */
  readonly headers: Readonly<Record<string, string>>;
  /** The text of a Netscape cookie file. Secret: only in files. */
  readonly cookies?: string;
  /** `http://user:secret@host:port`: its way out, for HTTP and HTTPS. Secret: only in files or the environment. */
  readonly proxyUrl: string;
  /** Instead of the source's own host and port, for protocols without proxies (RTMP, RTSP, SRT). */
  readonly relay?: { readonly host: string; readonly port: number };
  /** Absolute; empty; its own. */
  readonly workDirectory: string;
  /** Versions and paths of what is there. */
  readonly tool: FoundTool;
  readonly ffmpeg?: FoundTool;
  /** The Node that runs Kennel, as a JavaScript runtime for tools that want one. */
  readonly nodePath: string;
}

export interface FoundTool {
  readonly path: string;
  readonly version: string;
}

export interface ProgramCommand {
  readonly arguments: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Written with mode 0600 into the work directory before the start; removed afterwards. */
  readonly files?: readonly { readonly name: string; readonly content: string }[];
  /** Further paths that it must be able to read. */
  readonly readable?: readonly string[];
}

/** What a program said. */
export interface ProgramNews {
  /** Media time that it has written, milliseconds. */
  readonly mediaMs?: number;
  /** Length of the source's pieces, milliseconds. */
  readonly targetMs?: number;
  /** It has begun to mux or to convert, which is Kennel's work. */
  readonly isMuxing?: boolean;
}

/** How a program ended. */
export interface ProgramExit {
  readonly exitCode?: number;
  readonly signal?: string;
  /** It could not be started at all. */
  readonly startError?: string;
  /** The end of its standard error, without secrets. */
  readonly stderrTail: string;
  /** Whether any media came out of it. */
  readonly hadMedia: boolean;
  /** What Kennel had asked it, if anything. */
  readonly asked?: 'stop' | 'kill';
  /** The egress gate refused these (`host:port`). */
  readonly refused: readonly string[];
  readonly isLive?: boolean;
}

export interface ExitExplanation {
  /** `source`: the recording waits for it. `tool`: the program failed, its Big Dog decides. `caller`: somebody has to change the job. */
  readonly fault: 'none' | 'source' | 'tool' | 'caller' | 'machine';
  /** Fixed word: an error code, or `exit.<code>`, `signal.<name>`. */
  readonly why: KennelErrorCode | `exit.${number}` | `signal.${string}`;
  /** Whether another try can help. */
  readonly retry: boolean;
  /** For people: what happened, and what to do. */
  readonly sentence: string;
}
