import { statfs } from 'node:fs/promises';
import { bitRateText, bytesText } from '../bytes.ts';
import { clockText } from '../duration.ts';

/** The bit rate is that of the last so many seconds. */
const RATE_WINDOW_MS = 10_000;

/** How a recording is doing, as far as the line shows it. */
export interface Doing {
  readonly state: string;
  readonly ledger: {
    readonly bytes: number;
    readonly durationMs: number;
    readonly stored: number;
    readonly lost: number;
  };
}

/** The one line that tells how a recording is doing; built anew with each sample. */
export class StatusLine {
  readonly #directory: string | undefined;
  readonly #samples: { readonly at: number; readonly bytes: number }[] = [];

  /** @param directory on the disk whose space matters; none where that is another machine's */
  constructor(directory?: string) {
    this.#directory = directory;
  }

  async text({ state, ledger }: Doing, now: number): Promise<string> {
    const bytesPerSecond = this.#rate(ledger.bytes, now);
    const parts = [
      state.padEnd(9),
      `media ${clockText(ledger.durationMs)}`,
      `${ledger.stored} segments`,
      `${ledger.lost} lost`,
      bitRateText(bytesPerSecond * 8),
      ...(await this.#space(bytesPerSecond)),
    ];
    return parts.join(' · ');
  }

  #rate(bytes: number, now: number): number {
    this.#samples.push({ at: now, bytes });
    while ((this.#samples[0]?.at ?? now) < now - RATE_WINDOW_MS) this.#samples.shift();
    const first = this.#samples[0];
    if (!first || first.at === now) return 0;
    return ((bytes - first.bytes) * 1_000) / (now - first.at);
  }

  async #space(bytesPerSecond: number): Promise<string[]> {
    if (this.#directory === undefined) return [];
    const free = await statfs(this.#directory).then(
      ({ bavail, bsize }) => bavail * bsize,
      () => undefined,
    );
    if (free === undefined) return ['disk unknown'];
    if (bytesPerSecond <= 0) return [`${bytesText(free)} free`];
    return [`${bytesText(free)} free (${spanText(free / bytesPerSecond)})`];
  }
}

/** How long the space lasts, in the unit that a person would say it in. */
function spanText(seconds: number): string {
  const hours = seconds / 3_600;
  if (hours > 48) return `${Math.floor(hours / 24)} days`;
  return hours >= 1 ? `${hours.toFixed(1)} h` : `${Math.floor(seconds / 60)} min`;
}
