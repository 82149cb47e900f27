import { isKennelError } from '../core/errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { InitStored, SegmentStored } from '../ledger/record.ts';
import type { Damaged } from './mux/muxResult.ts';
import { checkSegments } from './segmentBytes.ts';

export interface Damage {
  /** Segments that are not usable: damaged themselves, or without their initialisation section. */
  readonly leftOut: ReadonlySet<SegmentStored>;
  readonly findings: readonly Damaged[];
}

export const NO_DAMAGE: Damage = { leftOut: new Set(), findings: [] };

/** Reads every stored file again and finds those that are missing, unreadable or not what was recorded. */
export async function findDamage(
  directory: string,
  ledger: Ledger,
  signal: AbortSignal,
): Promise<Damage> {
  const findings: Damaged[] = [];
  const leftOut = new Set<SegmentStored>();
  const inits = new Map<number, string>();
  for (const init of ledger.inits) {
    const why = await whyDamaged(directory, ledger, { entry: init, signal });
    if (why === undefined) continue;
    inits.set(init.init, init.file);
    findings.push({ track: init.track, file: init.file, why });
  }
  for (const segment of ledger.segments()) {
    const init = segment.init === undefined ? undefined : inits.get(segment.init);
    const why =
      (await whyDamaged(directory, ledger, { entry: segment, signal })) ??
      (init === undefined ? undefined : `its initialisation section ${init} is damaged`);
    if (why === undefined) continue;
    const { track, epoch, msn, file } = segment;
    leftOut.add(segment);
    findings.push({ track, epoch, msn, file, why });
  }
  return { leftOut, findings };
}

async function whyDamaged(
  directory: string,
  { checksums }: Ledger,
  { entry, signal }: { readonly entry: InitStored | SegmentStored; readonly signal: AbortSignal },
): Promise<string | undefined> {
  try {
    await checkSegments({ directory, entries: [entry], checksums }, signal);
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (isKennelError(error) && error.code === 'disk.failed') return error.message;
    throw error;
  }
}
