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
      stdout.write(`${line}\n`);
    },
    err: (line) => {
      clear();
      stderr.write(`${line}\n`);
    },
    style: (style, text) => (isColoured ? styleText(style, text, { validateStream: false }) : text),
    status: (line) => {
      if (!isLive) return;
      clear();
      if (line === '') return;
      stderr.write(line.slice(0, (stderr.columns || COLUMNS_DEFAULT) - 1));
      hasStatus = true;
    },
    isLive,
    isOutLive: stdout.isTTY,
  };
}
