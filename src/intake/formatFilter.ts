/** `720p`, `1080p60`: as the native engine reads them. */
const HEIGHT = /^(\d{3,4})p(\d{2,3})?$/i;
/** The name of one format, as yt-dlp lists them. */
const NAME = /^[\w-]{1,40}$/;

const BEST = 'bv*+ba/b';

/**
 * The wishes in the words of yt-dlp's `-f`, in their order; whatever is best comes last, so that there is an answer always: HLS
 * is chosen from by the native engine, and of anything else it is looked afterwards whether it was wished for.
 */
export function formatFilter(wishes: readonly string[], audioOnly: boolean): string {
  if (audioOnly) return 'ba/b';
  const filters = wishes.flatMap((wish) => filterOf(wish.trim()) ?? []);
  return [...new Set([...filters, BEST])].join('/');
}

function filterOf(wish: string): string | undefined {
  if (wish === 'best') return BEST;
  if (wish === 'worst') return 'wv*+wa/w';
  if (wish === 'audio') return 'ba';
  const [, lines, rate] = HEIGHT.exec(wish) ?? [];
  if (lines === undefined) {
    return NAME.test(wish) ? `b[format_id=${wish}]/bv*[format_id=${wish}]+ba` : undefined;
  }
  const fps = rate === undefined ? '' : `[fps=${rate}]`;
  // Upright pictures are called by their width.
  return [
    `[height=${lines}][width>=${lines}]`,
    `[width=${lines}][height>${lines}]`,
    `[height=${lines}]`,
  ]
    .map((size) => `bv*${size}${fps}+ba/b${size}${fps}`)
    .join('/');
}

/** Whether a chosen format is one of the wishes. */
export function isWished(
  wishes: readonly string[],
  chosen: {
    readonly id: string;
    readonly width?: number;
    readonly height?: number;
    readonly framesPerSecond?: number;
  },
): boolean {
  return wishes.some((text) => {
    const wish = text.trim();
    if (wish === 'best' || wish === 'worst' || wish === 'audio' || wish === chosen.id) return true;
    const [, lines, rate] = HEIGHT.exec(wish) ?? [];
    const { width, height, framesPerSecond } = chosen;
    if (lines === undefined) return false;
    // What is not known cannot be held against it.
    if (height === undefined) return true;
    const isRate = rate === undefined || Math.round(framesPerSecond ?? 0) === Number(rate);
    return Math.min(width ?? height, height) === Number(lines) && isRate;
  });
}
