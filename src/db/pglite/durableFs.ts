import { closeSync, fdatasyncSync, fsyncSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import { NodeFS } from '@electric-sql/pglite/nodefs';

type Init = Awaited<ReturnType<NodeFS['init']>>;
type InitOptions = Parameters<NodeFS['init']>[1];

/** The part of Emscripten's NODEFS that the hook needs; PGlite's types do not tell. */
interface NodeFsModule {
  readonly NODEFS: {
    stream_ops: Record<string, unknown>;
    realPath(node: unknown): string;
  };
}

interface Stream {
  /** The file's descriptor; directories have none. */
  readonly nfd?: number;
  readonly node: unknown;
}

/**
 * PGlite's file system with an `fsync` that reaches the disk. Its own has none: Postgres asks for one and is told that all
 * is well, so a power cut loses committed rows or the whole database (electric-sql/pglite issue 1107).
 */
export class DurableFs extends NodeFS {
  /** How often Postgres has asked for an fsync: the self-test wants to see it grow. */
  syncs = 0;

  override async init(pg: PGlite, options: InitOptions): Promise<Init> {
    const init = await super.init(pg, options);
    const hook = (module: unknown) => this.#addFsync(module as NodeFsModule); // see NodeFsModule
    init.emscriptenOpts.preRun = [...(init.emscriptenOpts.preRun ?? []), hook];
    return init;
  }

  #addFsync({ NODEFS }: NodeFsModule): void {
    const fsync = ({ nfd, node }: Stream) => {
      this.syncs++;
      if (nfd === undefined) syncPath(NODEFS.realPath(node));
      else fdatasyncSync(nfd);
      return 0;
    };
    NODEFS.stream_ops = { ...NODEFS.stream_ops, fsync };
  }
}

function syncPath(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Makes everything in a directory durable, the directory itself last. */
export function syncTree(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) syncTree(path);
    else if (entry.isFile()) syncPath(path);
  }
  syncPath(directory);
}
