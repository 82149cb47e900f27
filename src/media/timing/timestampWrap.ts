/** Timestamps of MPEG-TS, packed audio and X-TIMESTAMP-MAP are 33 bits of a 90 kHz clock: they start again after 26.5 hours. */
export const WRAP_SECONDS = 2 ** 33 / 90_000;

/** The time that a wrapping timestamp stands for, given about when it must be. All in seconds. */
export const nearest = (timestamp: number, about: number): number =>
  timestamp + WRAP_SECONDS * Math.round((about - timestamp) / WRAP_SECONDS);
