import { TS_PACKET_BYTES } from '../../recording/files/tsWalk.ts';
import type { MediaLayout, UnitSink } from './mediaUnit.ts';
import { packetise } from './tsPayload.ts';
import { TsStream, type WholePes } from './tsStream.ts';
import { type ListedStream, mapsOf, SectionReader, streamsOf } from './tsTables.ts';
import { TsClock, tsUnit } from './tsUnit.ts';

const PAT_PID = 0;
const NULL_PID = 0x1fff;
/** Programmes and streams beyond that are no live source; they would only cost memory. */
const PROGRAMMES_MAX = 16;
const STREAMS_MAX = 64;

interface ProgrammeMap {
  readonly sections: SectionReader;
  section?: Buffer;
  streams: readonly ListedStream[];
  clockPid?: number;
}

/** The programmes of a transport stream: reads their tables, and puts the PES packets of their streams together. */
export class TsProgramme {
  readonly #sink: UnitSink;
  readonly #clock: TsClock;
  readonly #patReader = new SectionReader();
  #pat: Buffer | undefined;
  #maps = new Map<number, ProgrammeMap>();
  #streams = new Map<number, TsStream>();
  /** Sections and clocks: their packets are passed on as they are. */
  #others = new Set<number>();
  #layout: MediaLayout | undefined;
  /** Packets of one PES packet in a row, not copied yet. */
  #from = 0;
  #to = 0;
  #bytes: Buffer | undefined;
  #runStream: TsStream | undefined;
  #lastPid = -1;
  #lastStream: TsStream | undefined;

  constructor(sink: UnitSink, nearMs: number | undefined) {
    this.#sink = sink;
    this.#clock = new TsClock(nearMs);
  }

  get hasTables(): boolean {
    return this.#layout !== undefined;
  }

  /** The packet of `bytes` at `at`; they stay as they are until `flush`. */
  packet(bytes: Buffer, at: number): void {
    const second = bytes[at + 1] ?? 0;
    const pid = ((second & 0x1f) << 8) | (bytes[at + 2] ?? 0);
    if (pid !== this.#lastPid) {
      this.#lastPid = pid;
      this.#lastStream = this.#streams.get(pid);
    }
    const stream = this.#lastStream;
    if (stream === undefined) {
      this.#other(bytes, at, pid);
      return;
    }
    if ((second & 0x80) !== 0) {
      this.#lose(stream, 'packets that arrived broken are left out');
      return;
    }
    const news = stream.look(bytes, at);
    if (news === 'continues') {
      if (this.#runStream === stream && this.#to === at && this.#bytes === bytes) {
        this.#to += TS_PACKET_BYTES;
      } else {
        this.#open(stream, bytes, at);
      }
    } else if (news === 'begins') {
      this.flush();
      this.#take(stream, stream.close());
      stream.begin(bytes, at);
      this.#open(stream, bytes, at);
    } else {
      if (news === 'lost') this.#lose(stream, 'packets are missing');
      return;
    }
    if (stream.isComplete) {
      this.flush();
      this.#take(stream, stream.close());
    }
  }

  /** Takes the packets after the last one that do nothing but go on with it, each followed by another before `end`; returns where they end. */
  goOn(bytes: Buffer, at: number, end: number): number {
    if (this.#runStream === undefined || this.#to !== at || this.#bytes !== bytes) return at;
    this.#to = this.#runStream.lookAhead(bytes, at, end);
    return this.#to;
  }

  /** Copies what is still only pointed at. */
  flush(): void {
    if (this.#runStream !== undefined && this.#bytes !== undefined) {
      this.#runStream.append(this.#bytes, this.#from, this.#to);
    }
    this.#runStream = undefined;
    this.#bytes = undefined;
  }

  /** Bytes were lost: what is open is torn. */
  tear(what: string): void {
    for (const stream of this.#streams.values()) stream.tear();
    this.#sink.damaged(what);
  }

  /** Nothing follows. `isWhole`: nothing was cut off. */
  end(isWhole: boolean): void {
    for (const stream of this.#streams.values())
      this.#take(stream, stream.close(true, isWhole), true);
  }

  #open(stream: TsStream, bytes: Buffer, at: number): void {
    this.flush();
    this.#runStream = stream;
    this.#bytes = bytes;
    this.#from = at;
    this.#to = at + TS_PACKET_BYTES;
  }

  #lose(stream: TsStream, what: string): void {
    this.flush();
    stream.tear();
    this.#sink.damaged(what);
  }

  #take(stream: TsStream, pes: WholePes | 'torn' | undefined, isLast = false): void {
    const layout = this.#layout;
    if (pes === undefined || layout === undefined) return;
    if (pes === 'torn') {
      // Where the output ends, something is always cut off.
      if (!isLast) this.#sink.damaged('parts of frames are left out');
      return;
    }
    const unit = tsUnit(pes, { stream, layout, clock: this.#clock });
    if (unit === undefined) this.#sink.damaged('packets that are none of a stream are left out');
    else this.#sink.unit(unit);
  }

  #other(bytes: Buffer, at: number, pid: number): void {
    if (pid === NULL_PID) return;
    const map = this.#maps.get(pid);
    if (pid === PAT_PID) this.#takePat(this.#patReader.take(bytes, at));
    else if (map !== undefined) this.#takeMap(map, map.sections.take(bytes, at));
    else if (this.#others.has(pid) && this.#layout !== undefined) {
      this.flush();
      const packet = Buffer.from(bytes.subarray(at, at + TS_PACKET_BYTES));
      const without = () => unit;
      const unit = { layout: this.#layout, streams: [], isKey: false, bytes: packet, without };
      this.#sink.unit(unit);
    }
  }

  #takePat(section: Buffer | undefined): void {
    if (section === undefined || this.#pat?.equals(section) === true) return;
    const pids = mapsOf(section);
    if (pids === undefined) return;
    this.#pat = section;
    const before = this.#maps;
    this.#maps = new Map(
      pids
        .slice(0, PROGRAMMES_MAX)
        .map((pid) => [pid, before.get(pid) ?? { sections: new SectionReader(), streams: [] }]),
    );
    this.#arrange();
  }

  #takeMap(map: ProgrammeMap, section: Buffer | undefined): void {
    if (section === undefined || map.section?.equals(section) === true) return;
    const read = streamsOf(section);
    if (read === undefined) return;
    map.section = section;
    map.streams = read.streams;
    map.clockPid = read.clockPid;
    this.#arrange();
  }

  /** The tables have changed: streams that are still listed go on, the others end. */
  #arrange(): void {
    this.flush();
    const listed = [...this.#maps.values()].flatMap(({ streams }) => streams).slice(0, STREAMS_MAX);
    const streams = new Map<number, TsStream>();
    const counts = new Map<string, number>();
    for (const one of listed) {
      if (one.kind === 'table') continue;
      const ordinal = counts.get(one.kind) ?? 0;
      counts.set(one.kind, ordinal + 1);
      const key = `${one.kind}:${ordinal}`;
      const known = this.#streams.get(one.pid);
      const goesOn = known?.key === key && known.listed.type === one.type;
      streams.set(one.pid, goesOn ? known : new TsStream(one, key));
    }
    for (const [pid, stream] of this.#streams) {
      if (streams.get(pid) !== stream) this.#take(stream, stream.close(), true);
    }
    this.#streams = streams;
    this.#lastPid = -1;
    const clocks = [...this.#maps.values()].flatMap(({ clockPid }) => clockPid ?? []);
    const tables = listed.filter(({ kind }) => kind === 'table').map(({ pid }) => pid);
    this.#others = new Set([...clocks, ...tables].filter((pid) => !streams.has(pid)));
    this.#layout = this.#layoutOf(streams);
  }

  #layoutOf(streams: ReadonlyMap<number, TsStream>): MediaLayout | undefined {
    const maps = [...this.#maps].flatMap(([pid, { section }]) =>
      section === undefined ? [] : [{ pid, section }],
    );
    if (this.#pat === undefined || maps.length === 0) return undefined;
    const keys = new Set([...streams.values()].map(({ key }) => key));
    const primary = ['video:0', 'sound:0'].find((key) => keys.has(key));
    const signature = [...streams.values()]
      .map(({ listed }) => `${listed.pid}:${listed.type}`)
      .join(' ');
    const tables = [{ pid: PAT_PID, section: this.#pat }, ...maps];
    const head = Buffer.concat(
      tables.map(({ pid, section }) => packetise(pid, Buffer.concat([Buffer.alloc(1), section]))),
    );
    return { container: 'ts', ...{ primary, signature, head } };
  }
}
