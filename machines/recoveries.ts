import type { Progress } from './ports.ts';

/** What falls, or barks, and is up again later. */
export type Layer =
  | 'recorder'
  | 'durationDoggy'
  | 'tempFileDoggy'
  | 'heartbeatDoggy'
  | 'bigDog'
  | 'bigDogDog';

/** A fall of a recorder or a dog, or the bark that made the recorder fall. */
export interface LayerFall {
  /** On the monotonic clock. */
  readonly at: number;
  readonly why: string;
  /** The recorder's last numbers: what grows beyond them is recorded again. */
  readonly seen?: Progress;
}

/** How often a layer fell or barked, and how long that lasted, milliseconds. */
export interface Tally {
  readonly recoveries: number;
  readonly lastRecoveryMs?: number;
  readonly worstRecoveryMs?: number;
}

interface Page {
  count: number;
  /** The fall that nothing has recovered from yet: the first of them, when there are several in a row. */
  open?: LayerFall | undefined;
  lastMs?: number;
  worstMs?: number;
}

/** Under this name the falls of the root are kept: they concern no job. */
export const ROOT = '';

/**
 * The book of falls and recoveries, kept by the tree: it outlives every dog and every root, and ends with this life of the node. What
 * is asked of it is looked up when somebody asks.
 */
export class Recoveries {
  readonly #jobs = new Map<string, Map<Layer, Page>>();

  /** The first fall counts until the layer is up again, whatever falls meanwhile. */
  fell(jobId: string, layer: Layer, fall: LayerFall): void {
    const pages = this.#jobs.get(jobId) ?? new Map<Layer, Page>();
    this.#jobs.set(jobId, pages);
    const page = pages.get(layer) ?? { count: 0 };
    pages.set(layer, page);
    page.count += 1;
    page.open ??= fall;
  }

  /** The fall that this layer has not recovered from. */
  openFall(jobId: string, layer: Layer): LayerFall | undefined {
    return this.#jobs.get(jobId)?.get(layer)?.open;
  }

  /** The layer is up again. Returns what it has recovered from, and after how many milliseconds; undefined when it had not fallen. */
  recovered(
    jobId: string,
    layer: Layer,
    at: number,
  ): { readonly why: string; readonly downMs: number } | undefined {
    const page = this.#jobs.get(jobId)?.get(layer);
    if (page?.open === undefined) return undefined;
    const { why, at: since } = page.open;
    const downMs = Math.round(at - since);
    page.open = undefined;
    page.lastMs = downMs;
    page.worstMs = Math.max(page.worstMs ?? 0, downMs);
    return { why, downMs };
  }

  tally(jobId: string, layer: Layer): Tally {
    const { count = 0, lastMs, worstMs } = this.#jobs.get(jobId)?.get(layer) ?? {};
    return {
      recoveries: count,
      ...(lastMs !== undefined && { lastRecoveryMs: lastMs }),
      ...(worstMs !== undefined && { worstRecoveryMs: worstMs }),
    };
  }

  /** The job has ended, or has another owner. */
  forget(jobId: string): void {
    this.#jobs.delete(jobId);
  }
}
