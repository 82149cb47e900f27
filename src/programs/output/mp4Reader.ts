import type { UnitReader, UnitSink } from './mediaUnit.ts';
import { boxHeader } from './mp4Boxes.ts';
import { broken, notFragmented } from './mp4Failure.ts';
import { mp4Unit } from './mp4Fragment.ts';
import { type Mp4Layout, mp4Layout } from './mp4Tracks.ts';

/** A fragment is held in memory until it is whole: this is 20 s at 50 Mb/s. */
const BOX_BYTES_MAX = 128 * 1024 * 1024;
/** Of the index at the end, and of padding, nothing is kept. */
const LEFT_OUT = new Set(['mfra', 'sidx', 'ssix', 'free', 'skip', 'wide']);
/** Boxes that belong to the fragment that follows them. */
const BEFORE_FRAGMENT = new Set(['styp', 'prft', 'emsg']);

/** Reads fragmented MP4, one whole box after the other. */
export class Mp4Reader implements UnitReader {
  readonly #sink: UnitSink;
  /** Parts of the open box. */
  #parts: Buffer[] = [];
  #gathered = 0;
  /** Bytes of the open box, when its header is whole. */
  #wanted: number | undefined;
  #position = 0;
  #ftyp: Buffer | undefined;
  #before: Buffer[] = [];
  #moof: Buffer | undefined;
  #layout: Mp4Layout | undefined;

  constructor(sink: UnitSink) {
    this.#sink = sink;
  }

  write(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const wanted = this.#wanted ?? (this.#gathered < 8 ? 8 : 16);
      const part = bytes.subarray(at, at + wanted - this.#gathered);
      this.#parts.push(Buffer.from(part));
      this.#gathered += part.length;
      at += part.length;
      if (this.#gathered < wanted) continue;
      if (this.#wanted === undefined) this.#readHeader();
      else this.#finishBox();
    }
  }

  /** A box that is not whole is no media yet. */
  end(): void {
    this.#parts = [];
    this.#gathered = 0;
  }

  #readHeader(): void {
    const start = Buffer.concat(this.#parts);
    const header = boxHeader(start, 0);
    this.#parts = [start];
    if (header === undefined) return; // The 64-bit size follows.
    const { type, bytes, headerBytes } = header;
    if (!/^[\x20-\x7e]{4}$/.test(type) || bytes < headerBytes)
      throw broken('its boxes do not add up');
    if (bytes > BOX_BYTES_MAX) throw broken(`its box ${type} has more than ${BOX_BYTES_MAX} bytes`);
    this.#wanted = bytes;
    if (bytes === this.#gathered) this.#finishBox();
  }

  #finishBox(): void {
    const box = this.#parts.length === 1 ? (this.#parts[0] ?? empty) : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#gathered = 0;
    this.#wanted = undefined;
    this.#position += box.length;
    this.#take(box.toString('latin1', 4, 8), box);
  }

  #take(type: string, box: Buffer): void {
    if (this.#moof !== undefined && type !== 'mdat') {
      // What lies between the two is counted in the places of samples.
      this.#moof = Buffer.concat([this.#moof, box]);
      return;
    }
    if (LEFT_OUT.has(type)) return;
    if (type === 'ftyp') this.#ftyp = box;
    else if (type === 'moov') this.#layout = mp4Layout(Buffer.concat([this.#ftyp ?? empty, box]));
    else if (type === 'moof') this.#moof = box;
    else if (type === 'mdat') this.#finishFragment(box);
    else if (BEFORE_FRAGMENT.has(type)) this.#before.push(box);
  }

  #finishFragment(mdat: Buffer): void {
    if (this.#layout === undefined) {
      throw notFragmented();
    }
    if (this.#moof === undefined) throw broken('it has media without a moof box');
    const bytes = Buffer.concat([...this.#before, this.#moof, mdat]);
    this.#before = [];
    this.#moof = undefined;
    const position = this.#position - bytes.length;
    this.#sink.unit(mp4Unit({ layout: this.#layout, bytes, position }));
  }
}

const empty = Buffer.alloc(0);
