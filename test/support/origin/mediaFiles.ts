import { type Era, eraAt, indexOf } from './numbering.ts';

/** What a segment's file name, or a part's, means. */
export interface NamedMedia {
  readonly index: number;
  /** Of a low-latency part. */
  readonly part?: number;
}

interface Naming {
  readonly names: 'index' | 'sequence';
  readonly eras: readonly Era[];
  readonly head: number;
}

/** The segment or part behind a file name; undefined when it is none that may exist. */
export function mediaNamed(file: string, { names, eras, head }: Naming): NamedMedia | undefined {
  const [, name, part] = /^(\d+)(?:\.(\d+))?\.(?:ts|m4s|aac|vtt)$/.exec(file) ?? [];
  if (name === undefined) return undefined;
  // Of the segment that is not whole yet there are parts only.
  const newest = part === undefined ? head : head + 1;
  const index =
    names === 'index' ? Number(name) : newestNamed(Number(name), { eras, head, newest });
  if (index === undefined) return undefined;
  return { index, ...(part !== undefined && { part: Number(part) }) };
}

/** After a restart the same number names other media: the newest counts. */
function newestNamed(
  msn: number,
  { eras, head, newest }: Pick<Naming, 'eras' | 'head'> & { readonly newest: number },
): number | undefined {
  for (let { epoch } = eraAt(eras, head); epoch >= 0; epoch--) {
    const index = indexOf(eras, { epoch, msn });
    if (index !== undefined && index <= newest) return index;
  }
  return undefined;
}
