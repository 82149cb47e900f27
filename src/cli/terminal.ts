import { styleText } from 'node:util';
import type { Environment } from '../config/load.ts';

type Style = Parameters<typeof styleText>[0];

/** Where a command writes: results to `out`, everything else to `err`. */
export interface Terminal {
  out(line: string): void;
  err(line: string): void;
  style(style: Style, text: string): string;
  /** Replaces the last line of the terminal; does nothing where standard error is none. */
  status(line: string): void;
  readonly isLive: boolean;
  /** Whether results are read by a person. */
  readonly isOutLive: boolean;
}

/**
 * What steers a terminal (C0 without tab and line feed, DEL, C1) and what turns the direction of text. Sites, playlists and programs
 * write it into their titles, names and messages.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const STEERING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;
/** The styles that Kennel itself writes. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: a style begins with one
const OWN_STYLES = /(\u001b\[(?:2|22)m)/;

const CLEAR_LINE = '\r\u001b[2K';
const COLUMNS_DEFAULT = 80;

/** Colours as NO_COLOR (no-color.org) and the terminal allow. */
export function terminal(env: Environment): Terminal {
  const { stdout, stderr } = process;
  const isLive = stderr.isTTY && env['TERM'] !== 'dumb';
  const isColoured = isLive && !env['NO_COLOR'];
  let hasStatus = false;
  const clear = () => {
    if (hasStatus) stderr.write(CLEAR_LINE);
    hasStatus = false;
  };
  return {
    out: (line) => {
      clear();
      stdout.write(`${harmless(line)}\n`);
    },
    err: (line) => {
      clear();
      const parts = line.split(OWN_STYLES);
      stderr.write(
        `${parts.map((part) => (OWN_STYLES.test(part) ? part : harmless(part))).join('')}\n`,
      );
    },
    style: (style, text) => (isColoured ? styleText(style, text, { validateStream: false }) : text),
    status: (line) => {
      if (!isLive) return;
      clear();
      if (line === '') return;
      stderr.write(harmless(line).slice(0, (stderr.columns || COLUMNS_DEFAULT) - 1));
      hasStatus = true;
    },
    isLive,
    isOutLive: stdout.isTTY,
  };
}

/** As JSON writes it: it can be seen, and within JSON it means the same. */
const harmless = (text: string): string =>
  text.replaceAll(STEERING, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
