import {
  type EngineScript,
  SEGMENT_MS,
  type Sickness,
  type SourceTrouble,
} from './engineScript.ts';

/** Every stream begins on this date, milliseconds since the epoch. */
const BEGUN_AT = Date.UTC(2026, 0, 1);
const FIRST_NUMBER = 100;
const NUMBER_AFTER_RESET = 50;
/** Segments stay on the origin for so many windows: they can be had longer than they are listed. */
const KEPT_WINDOWS = 2;

/** One segment as one source lists it. */
export interface Shown {
  /** Counted from the stream's start: what is in it. */
  readonly content: number;
  readonly msn: number;
  readonly name: string;
}

/** What both sources know of the stream, and how each of them shows it. */
export class SimOrigin {
  readonly #script: EngineScript;
  readonly #spoilt = new Map<Sickness, number>();

  constructor(script: EngineScript) {
    this.#script = script;
  }

  /** Which trouble a source is in. */
  trouble(source: number, now: number): SourceTrouble['kind'] | undefined {
    return this.#script.troubles.find(
      (one) => one.source === source && one.atMs <= now && now < one.atMs + one.forMs,
    )?.kind;
  }

  playlist(source: number, at: number): string {
    const shown = this.shown(source, at);
    const { dates, endsAt } = this.#script;
    const lines = [
      '#EXTM3U',
      `#EXT-X-TARGETDURATION:${SEGMENT_MS / 1_000}`,
      `#EXT-X-MEDIA-SEQUENCE:${shown[0]?.msn ?? 0}`,
    ];
    for (const { content, name } of shown) {
      if (dates) {
        const date = new Date(BEGUN_AT + content * SEGMENT_MS).toISOString();
        lines.push(`#EXT-X-PROGRAM-DATE-TIME:${date}`);
      }
      if (this.#sickness(source, content)?.how === 'marked') lines.push('#EXT-X-GAP');
      lines.push(`#EXTINF:${SEGMENT_MS / 1_000},`, name);
    }
    if (at >= (endsAt + 1) * SEGMENT_MS) lines.push('#EXT-X-ENDLIST');
    return `${lines.join('\n')}\n`;
  }

  /** What comes for a segment's name: its content, or how the answer goes wrong. */
  answer(source: number, name: string, now: number): number | 'gone' | Sickness['how'] {
    const content = this.#contentOf(source, name, now);
    if (content === undefined) return 'gone';
    const sickness = this.#sickness(source, content);
    if (sickness === undefined) return content;
    if (sickness.how === 'marked') return 'gone';
    const before = this.#spoilt.get(sickness) ?? 0;
    if (sickness.times !== 'always' && before >= sickness.times) return content;
    this.#spoilt.set(sickness, before + 1);
    return sickness.how;
  }

  shown(source: number, at: number): Shown[] {
    const { window, endsAt, stream, second } = this.#script;
    const contents = Math.min(Math.floor(at / SEGMENT_MS) + 1, endsAt);
    let from = 0;
    let shift = 0;
    let generation = 0;
    for (const event of stream.toSorted((a, b) => a.atMs - b.atMs)) {
      if (event.atMs > at) continue;
      if (event.kind === 'reset') {
        from = Math.floor(event.atMs / SEGMENT_MS) + 1;
        shift = 0;
        if (!event.sameNames) generation++;
      } else shift += event.by;
    }
    const first = from === 0 ? FIRST_NUMBER : NUMBER_AFTER_RESET;
    const offset = source === 0 ? 0 : (second?.offset ?? 0);
    const path = source === 0 || second?.sameNames ? '/a' : '/b';
    const shown: Shown[] = [];
    for (let content = Math.max(from, contents - window); content < contents; content++) {
      const number = content - from + first;
      const msn = Math.max(0, number + shift + offset);
      shown.push({ content, msn, name: `${path}/${generation}/${number}.ts` });
    }
    return shown;
  }

  #sickness(source: number, content: number): Sickness | undefined {
    return this.#script.sick.find((one) => one.source === source && one.content === content);
  }

  /** Names may be used again after a reset: the newest content under a name is what the origin serves. */
  #contentOf(source: number, name: string, now: number): number | undefined {
    const { window, stream } = this.#script;
    const since = Math.max(0, now - KEPT_WINDOWS * window * SEGMENT_MS);
    const times = [now, ...stream.map(({ atMs }) => atMs - 1)];
    for (let at = now - SEGMENT_MS; at >= since; at -= SEGMENT_MS) times.push(at);
    for (const at of times.filter((time) => time >= since && time <= now).sort((a, b) => b - a)) {
      const found = this.shown(source, at).find((one) => one.name === name);
      if (found !== undefined) return found.content;
    }
    return undefined;
  }
}
