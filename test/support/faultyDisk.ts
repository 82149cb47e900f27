import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Why no file system can be mounted here; undefined where one can. */
export function whyNoMounts(): string | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'kennel-mount-'));
  try {
    const { error, status, stderr } = spawnSync('mount', ['-t', 'tmpfs', 'kennel', directory], {
      encoding: 'utf8',
    });
    if (status === 0) execFileSync('umount', [directory]);
    return status === 0 ? undefined : (error?.message ?? stderr.trim());
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Why no process can be given failing system calls here; undefined where one can. */
export function whyNoStrace(): string | undefined {
  const inject = ['-e', 'trace=fsync', '-e', 'inject=fsync:error=EIO', '-o', '/dev/null', 'true'];
  const { error, status, stderr } = spawnSync('strace', inject, { encoding: 'utf8' });
  return status === 0 ? undefined : (error?.message ?? stderr.trim());
}

/** The title of a test, with the reason why it is skipped, if it is. */
export const titled = (title: string, missing: string | undefined): string =>
  missing === undefined ? title : `${title} (skipped: ${missing})`;

/** A file system of its own in memory. */
export class Tmpfs {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** @param size as mount(8) takes it, such as `80m` */
  static mount(directory: string, size: string): Tmpfs {
    mkdirSync(directory, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'kennel', directory]);
    return new Tmpfs(directory);
  }

  get #ballast(): string {
    return join(this.directory, 'ballast');
  }

  /** Takes all the room that is left, to the last byte. */
  async fill(): Promise<void> {
    const file = await open(this.#ballast, 'a');
    try {
      for (let bytes = 64 * 1024; bytes >= 1; ) {
        const written = await file.write(Buffer.alloc(bytes)).catch(() => undefined);
        if (written === undefined) bytes = Math.floor(bytes / 2);
      }
    } finally {
      await file.close();
    }
  }

  /** Takes so much room. */
  async take(bytes: number): Promise<void> {
    const file = await open(this.#ballast, 'a');
    try {
      await file.write(Buffer.alloc(bytes));
    } finally {
      await file.close();
    }
  }

  /** Gives back all that was taken. */
  free(): void {
    rmSync(this.#ballast, { force: true });
  }

  unmount(): void {
    execFileSync('umount', ['-l', this.directory]);
  }
}

/** A directory that can become read-only although files in it are open elsewhere, as a failing disk makes it. */
export class ReadOnlyMount {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    execFileSync('mount', ['--bind', directory, directory]);
  }

  /** Whether it worked: not while a file is being written through this mount. */
  close(): boolean {
    return this.#remount('ro') === 0;
  }

  open(): void {
    if (this.#remount('rw') !== 0) throw new Error(`${this.#directory} stays read-only`);
  }

  unmount(): void {
    execFileSync('umount', ['-l', this.#directory]);
  }

  #remount(mode: 'ro' | 'rw'): number | null {
    return spawnSync('mount', ['-o', `remount,bind,${mode}`, this.#directory]).status;
  }
}

/** System calls of a file that are given the disk's answer: those that libuv makes for file data, and for directories' names. */
const DISK_CALLS = 'fdatasync,fsync,pwrite64';

/** Lets the disk of a running process misbehave, by the answers of its system calls. */
export class FaultyCalls {
  readonly #tracer: ChildProcess;

  private constructor(tracer: ChildProcess) {
    this.#tracer = tracer;
  }

  /**
   * @param fault as strace(1) takes it: `error=EIO`, or `delay_enter=300000` (microseconds)
   * @param calls the calls it hits
   */
  static async inject(pid: number, fault: string, calls = DISK_CALLS): Promise<FaultyCalls> {
    const args = [
      '-f',
      '-p',
      String(pid),
      '-e',
      `trace=${calls}`,
      '-e',
      `inject=${calls}:${fault}`,
    ];
    const tracer = spawn('strace', [...args, '-o', '/dev/null'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const attached = Promise.withResolvers<void>();
    let said = '';
    tracer.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.includes('attached')) attached.resolve();
    });
    tracer.once('exit', () => attached.reject(new Error(`strace did not attach: ${said}`)));
    await attached.promise;
    return new FaultyCalls(tracer);
  }

  /** From here on the disk is well. */
  async heal(): Promise<void> {
    if (this.#tracer.exitCode !== null || this.#tracer.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#tracer.once('exit', resolve));
    this.#tracer.kill('SIGTERM');
    await gone;
  }
}
