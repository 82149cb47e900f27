import { type Attributes, attributesOf } from './attributes.ts';
import { invalidPlaylist } from './invalidPlaylist.ts';
import type { Variables } from './model.ts';

/** `{$name}` (RFC 8216bis §4.3). */
const REFERENCE = /\{\$([\w-]+)\}/g;

export interface VariableScopeOptions {
  /** The playlist's own address, for QUERYPARAM. */
  readonly url: URL;
  /** What the master playlist defined, for IMPORT. */
  readonly imports?: Variables | undefined;
}

/** The variables of one playlist (EXT-X-DEFINE): each counts from its definition on. */
export class VariableScope {
  readonly #options: VariableScopeOptions;
  readonly #values = new Map<string, string>();

  constructor(options: VariableScopeOptions) {
    this.#options = options;
  }

  get all(): Variables {
    return Object.fromEntries(this.#values);
  }

  /** Reads the value of an EXT-X-DEFINE. Throws `playlist.invalid` when it defines nothing, as RFC 8216bis §4.4.2.3 asks. */
  define(list: string): void {
    const attributes = attributesOf(list);
    const name = ['NAME', 'IMPORT', 'QUERYPARAM'].map((key) => attributes.get(key)).find(Boolean);
    const value = this.#definition(attributes);
    if (name === undefined || value === undefined) {
      throw invalidPlaylist('an EXT-X-DEFINE has no value', list);
    }
    this.#values.set(name, value);
  }

  #definition(attributes: Attributes): string | undefined {
    if (attributes.get('NAME')) return attributes.get('VALUE');
    const { url, imports = {} } = this.#options;
    const imported = attributes.get('IMPORT');
    if (imported) return Object.hasOwn(imports, imported) ? imports[imported] : undefined;
    return url.searchParams.get(attributes.get('QUERYPARAM') ?? '') ?? undefined;
  }

  /** The text with the values in place of their names. Throws `playlist.invalid` for a name that was not defined. */
  resolve(text: string): string {
    if (!text.includes('{$')) return text;
    return text.replaceAll(REFERENCE, (reference, name: string) => {
      const value = this.#values.get(name);
      if (value === undefined)
        throw invalidPlaylist('a variable is used but not defined', reference);
      return value;
    });
  }

  /** The attributes of a tag, their values resolved. */
  attributes(list: string): Attributes {
    const attributes = attributesOf(list);
    if (!list.includes('{$')) return attributes;
    return new Map([...attributes].map(([name, value]) => [name, this.resolve(value)]));
  }
}
