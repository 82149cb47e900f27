/** A URL inside any text: credentials before the host, and everything from `?` or `#` on, may be secrets. */
const URL_IN_TEXT = /([a-z][a-z0-9+.-]*:\/\/)(?:[^\s/?#"']*@)?([^\s?#"']*)(?:[?#][^\s"']*)?/gi;

/** The text with the credentials, queries and fragments of every URL in it taken out. */
export const withoutSecrets = (text: string): string => text.replace(URL_IN_TEXT, '$1$2');

/** The same for every string in plain JSON. */
export function plainWithoutSecrets(value: unknown): unknown {
  if (typeof value === 'string') return withoutSecrets(value);
  if (Array.isArray(value)) return value.map(plainWithoutSecrets);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, plainWithoutSecrets(inner)]),
  );
}
