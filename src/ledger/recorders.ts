/** The native engine's names among recorders; `hls` in journals from before it had this one. */
const NATIVE_NAMES: ReadonlySet<string> = new Set(['native', 'hls']);

/** What an attempt is called before anybody has looked at its link: whoever is chosen then says so when media begins. */
const UNDECIDED = 'auto';

/** Whether a recorder of this name is a program, whose account is its timestamps. */
export const isProgram = (name: string): boolean => !NATIVE_NAMES.has(name);

/** Who recorded, as the lines of a journal tell it one after the other. */
export class Recorders {
  readonly #names = new Set<string>();
  #current: string | undefined;
  /** Who began; the native engine does not name itself. */
  #begun = 'native';

  begin(name: string): void {
    this.#current = name;
  }

  tell({ recorder }: Readonly<Record<string, unknown>>): void {
    if (typeof recorder === 'string') this.#begun = recorder;
  }

  /** Something was stored, or named as lost. */
  record(): void {
    if (this.#current === undefined) return;
    this.#names.add(this.#current === UNDECIDED ? this.#begun : this.#current);
  }

  get names(): readonly string[] {
    return [...this.#names];
  }
}
