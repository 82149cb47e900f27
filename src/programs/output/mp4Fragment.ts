import { markOf } from './contentMark.ts';
import type { MediaUnit, StreamFrames } from './mediaUnit.ts';
import { boxesIn, boxIn, type Mp4Box, makeBox } from './mp4Boxes.ts';
import { broken } from './mp4Failure.ts';
import type { Mp4Layout, Mp4Track, SampleDefaults } from './mp4Tracks.ts';

/** More than a minute of sound and video at 1,000 frames/s: what says more is broken. */
const SAMPLES_MAX = 100_000;

interface Sample {
  /** Ticks. */
  readonly time: number;
  readonly duration: number;
  readonly flags: number;
  /** Of its presentation from its decoding, ticks; as it is written: signed. */
  readonly offset: number;
  readonly content: Buffer;
}

interface TrackSamples {
  readonly id: number;
  readonly track: Mp4Track;
  readonly description: number | undefined;
  readonly samples: readonly Sample[];
}

export interface FragmentOptions {
  readonly layout: Mp4Layout;
  /** styp, prft and others before it, moof, mdat. */
  readonly bytes: Buffer;
  /** Where `bytes` begin in the output: old fragments count from its start. */
  readonly position: number;
}

/** A fragment as a unit. Throws `segment.invalid` when its boxes do not add up. */
export function mp4Unit({ layout, bytes, position }: FragmentOptions): MediaUnit {
  const moof = boxIn(bytes, { from: 0, to: bytes.length }, 'moof');
  if (moof === undefined) throw broken('it has media without a moof box');
  const found: TrackSamples[] = [];
  let isMovable = true;
  let isRelative = true;
  let end: number | undefined;
  for (const traf of boxesIn(bytes, moof.from, moof.to)) {
    if (traf.type !== 'traf') continue;
    const read = readTraf({ bytes, layout, moof, position, end }, traf);
    if (read === undefined) continue;
    ({ end } = read);
    found.push(read.track);
    isRelative &&= read.isRelative;
    // What says where the keys of each sample are cannot be moved.
    isMovable &&=
      boxIn(bytes, traf, 'senc') === undefined && boxIn(bytes, traf, 'saio') === undefined;
  }
  const streams = found.map(framesOf);
  const primary = found.find(({ track }) => track.key === layout.primary);
  const first = primary?.samples[0];
  const isKey =
    first !== undefined && ((first.flags & 0x10000) === 0 || primary?.track.kind === 'sound');
  // Places counted from the start of the file would be wrong in a piece.
  const stored = isRelative || !isMovable ? bytes : rebuild(found);
  return {
    ...{ layout, streams, isKey, bytes: stored },
    without(drops) {
      const rest = found.map((one) => ({
        ...one,
        samples: one.samples.slice(drops.get(one.track.key) ?? 0),
      }));
      const left = rest.filter(({ samples }) => samples.length > 0);
      if (!isMovable || left.length === 0) return this;
      return { ...this, isKey: false, streams: left.map(framesOf), bytes: rebuild(left) };
    },
  };
}

const framesOf = ({ track, samples }: TrackSamples): StreamFrames => ({
  key: track.key,
  frames: samples.map(({ time, duration, content }) => ({
    startMs: (time * 1_000) / track.timescale,
    ...(duration > 0 && { durationMs: (duration * 1_000) / track.timescale }),
    hash: markOf(content),
  })),
});

interface TrafContext {
  readonly bytes: Buffer;
  readonly layout: Mp4Layout;
  readonly moof: Mp4Box;
  readonly position: number;
  /** Where the data of the track before ends. */
  readonly end: number | undefined;
}

interface ReadTraf {
  readonly track: TrackSamples;
  readonly end: number;
  readonly isRelative: boolean;
}

function readTraf(context: TrafContext, traf: Mp4Box): ReadTraf | undefined {
  const { bytes, layout, moof, position } = context;
  const tfhd = boxIn(bytes, traf, 'tfhd');
  const tfdt = boxIn(bytes, traf, 'tfdt');
  if (tfhd === undefined || tfhd.to - tfhd.from < 8) throw broken('it has a fragment of no track');
  const id = bytes.readUInt32BE(tfhd.from + 4);
  const track = layout.tracks.get(id);
  if (track === undefined) return undefined;
  if (tfdt === undefined) throw broken('it has fragments without times');
  const flags = bytes.readUInt32BE(tfhd.from) & 0xffffff;
  const fields = new Fields(bytes, tfhd.from + 8, tfhd.to);
  const isRelative = (flags & 1) === 0;
  const base = isRelative ? undefined : fields.long() - position;
  const description = (flags & 2) === 0 ? undefined : fields.word();
  const defaults: SampleDefaults = {
    duration: (flags & 8) === 0 ? track.defaults.duration : fields.word(),
    size: (flags & 0x10) === 0 ? track.defaults.size : fields.word(),
    flags: (flags & 0x20) === 0 ? track.defaults.flags : fields.word(),
  };
  const times = new Fields(bytes, tfdt.from + 4, tfdt.to);
  let time = bytes[tfdt.from] === 1 ? times.long() : times.word();
  const isFromMoof = (flags & 0x20000) !== 0 || context.end === undefined;
  const from = base ?? (isFromMoof ? moof.start : context.end);
  let at = from;
  const samples: Sample[] = [];
  for (const trun of boxesIn(bytes, traf.from, traf.to)) {
    if (trun.type !== 'trun') continue;
    const run = readRun({ bytes, trun, defaults, from, at, time });
    samples.push(...run.samples);
    ({ at, time } = run);
  }
  return { track: { id, track, description, samples }, end: at, isRelative };
}

interface RunContext {
  readonly bytes: Buffer;
  readonly trun: Mp4Box;
  readonly defaults: SampleDefaults;
  /** Where places are counted from, and where its data begin when it does not say so. */
  readonly from: number;
  readonly at: number;
  readonly time: number;
}

function readRun(context: RunContext): {
  readonly samples: Sample[];
  readonly at: number;
  readonly time: number;
} {
  const { bytes, trun, defaults } = context;
  let { at, time } = context;
  const fields = new Fields(bytes, trun.from, trun.to);
  const flags = fields.word() & 0xffffff;
  const count = fields.word();
  if (count > SAMPLES_MAX) throw broken(`it has a fragment of ${count} samples`);
  if ((flags & 1) !== 0) at = context.from + (fields.word() | 0);
  const first = (flags & 4) === 0 ? undefined : fields.word();
  const samples: Sample[] = [];
  for (let index = 0; index < count; index++) {
    const duration = (flags & 0x100) === 0 ? defaults.duration : fields.word();
    const size = (flags & 0x200) === 0 ? defaults.size : fields.word();
    const own = (flags & 0x400) === 0 ? defaults.flags : fields.word();
    const offset = (flags & 0x800) === 0 ? 0 : fields.word() | 0;
    if (at < 0 || at + size > bytes.length)
      throw broken('it has samples that lie outside of their fragment');
    const content = bytes.subarray(at, at + size);
    samples.push({
      time,
      duration,
      offset,
      content,
      flags: index === 0 && first !== undefined ? first : own,
    });
    at += size;
    time += duration;
  }
  return { samples, at, time };
}

/** A fragment of these samples, each with all that is known of it. */
function rebuild(tracks: readonly TrackSamples[]): Buffer {
  const moofBytes =
    24 +
    tracks.reduce(
      (sum, { samples, description }) =>
        sum + 64 + (description === undefined ? 0 : 4) + 16 * samples.length,
      0,
    );
  let at = moofBytes + 8;
  const trafs = tracks.map(({ id, description, samples }) => {
    const named = description === undefined ? [] : [description];
    const tfhd = makeBox(
      'tfhd',
      words(0x02_0000 | (description === undefined ? 0 : 2), id, ...named),
    );
    const time = Buffer.alloc(8);
    time.writeBigUInt64BE(BigInt(samples[0]?.time ?? 0));
    const run = words(
      ...[0x0100_0f01, samples.length, at],
      ...samples.flatMap(({ duration, content, flags, offset }) => [
        duration,
        content.length,
        flags,
        offset,
      ]),
    );
    at += samples.reduce((sum, { content }) => sum + content.length, 0);
    return makeBox('traf', tfhd, makeBox('tfdt', words(0x0100_0000), time), makeBox('trun', run));
  });
  const moof = makeBox('moof', makeBox('mfhd', words(0, 1)), ...trafs);
  return Buffer.concat([
    moof,
    makeBox('mdat', ...tracks.flatMap(({ samples }) => samples.map(({ content }) => content))),
  ]);
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, 4 * index);
  return bytes;
}

/** Reads fields one after the other. */
class Fields {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor(bytes: Buffer, from: number, end: number) {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = end;
  }

  word(): number {
    if (this.#at + 4 > this.#end) throw broken('its boxes do not add up');
    this.#at += 4;
    return this.#bytes.readUInt32BE(this.#at - 4);
  }

  long(): number {
    return this.word() * 2 ** 32 + this.word();
  }
}
