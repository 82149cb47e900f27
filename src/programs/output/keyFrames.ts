/** How much of a picture's beginning is searched for its kind, bytes: parameter sets and messages come before it. */
export const KEY_SEARCH_BYTES = 2_048;

const MPEG_VIDEO = new Set([0x01, 0x02]);
const H264 = 0x1b;
const HEVC = 0x24;

/**
 * Whether decoding can begin at this picture, by its content: an IDR or IRAP picture, or parameter sets, which encoders repeat where
 * one may begin. For streams whose packets do not say it.
 */
export function beginsAtKey(streamType: number, picture: Buffer): boolean {
  for (let at = picture.indexOf(START); at >= 0; at = picture.indexOf(START, at + 3)) {
    const code = picture[at + 3];
    if (code === undefined) return false;
    if (MPEG_VIDEO.has(streamType)) {
      // A sequence header, or a picture without one before it.
      if (code === 0xb3) return true;
      if (code === 0) return false;
    } else if (streamType === H264) {
      const type = code & 0x1f;
      if (type === 5 || type === 7) return true;
      if (type === 1 || type === 2) return false;
    } else if (streamType === HEVC) {
      const type = (code >> 1) & 0x3f;
      if ((type >= 16 && type <= 23) || (type >= 32 && type <= 33)) return true;
      if (type < 16) return false;
    } else {
      return false;
    }
  }
  return false;
}

const START = Buffer.from([0, 0, 1]);
