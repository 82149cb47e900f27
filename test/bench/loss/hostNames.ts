import { accessSync, constants, readFileSync, writeFileSync } from 'node:fs';

const FILE = '/etc/hosts';
const MARK = '# kennel loss bench, removed at its end';

/**
 * Names that can be resolved at times: lines of /etc/hosts, since every recorder asks the system. The file is as it was
 * before once `restore` was called, which the end of the process does in any case.
 */
export class HostNames {
  readonly #original = readFileSync(FILE, 'utf8');
  readonly #names = new Set<string>();

  constructor() {
    process.once('exit', () => this.restore());
  }

  /** Whether the file may be written; the scenario cannot be played otherwise. */
  static get writable(): boolean {
    try {
      accessSync(FILE, constants.W_OK);
      return true;
    } catch {
      return false;
    }
  }

  add(name: string): void {
    this.#names.add(name);
    this.#write();
  }

  remove(name: string): void {
    this.#names.delete(name);
    this.#write();
  }

  restore(): void {
    if (this.#names.size === 0) return;
    this.#names.clear();
    this.#write();
  }

  /** In place: in a container the file is a mount, which nothing can be renamed over. */
  #write(): void {
    const lines = [...this.#names].map((name) => `127.0.0.1 ${name} ${MARK}\n`);
    const end = this.#original === '' || this.#original.endsWith('\n') ? '' : '\n';
    writeFileSync(FILE, `${this.#original}${lines.length > 0 ? end : ''}${lines.join('')}`);
  }
}
