/** Pieces are about so long: as long as HLS segments, since what is not yet a whole piece is lost with the host. Milliseconds. */
export const PIECE_MS = 4_000;
/** A key frame from here on ends the piece: key frames every 2 s that come a little early must not make it one and a half times as long. */
export const PIECE_MS_MIN = 3_500;
/** The first piece of a run may end here, so that media after a fall is known, and safe, some seconds sooner: a key frame each second may come a little early. Milliseconds. */
export const FIRST_PIECE_MS_MIN = 900;
/** Without key frames a piece ends here: encoders set to the longest usual distance of key frames have 10 s. */
export const PIECE_MS_MAX = 30_000;
/** Nor may it have more bytes: 30 s at 50 Mb/s have three times as many. */
export const PIECE_BYTES_MAX = 64 * 1024 * 1024;

/** Programs put out one programme; it is one track. */
export const TRACK = 'main';
