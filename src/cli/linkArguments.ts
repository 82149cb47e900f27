/** Options that may stand without a value. */
const WITH_OPTIONAL_VALUE: ReadonlySet<string> = new Set(['--audio', '--wait']);

/** What begins so is a link, and neither wishes nor a time. */
const LINK = /^[a-z][a-z0-9+.-]*:\/\//i;

/** The same arguments, with such options moved behind the link that stands after them: they would take it for their value. */
export function linkArguments(argv: readonly string[]): string[] {
  const end = argv.includes('--') ? argv.indexOf('--') : argv.length;
  const options = argv.slice(0, end);
  const isMoved = (word: string, index: number): boolean =>
    WITH_OPTIONAL_VALUE.has(word) && LINK.test(options[index + 1] ?? '');
  return [
    ...options.filter((word, index) => !isMoved(word, index)),
    ...options.filter(isMoved),
    ...argv.slice(end),
  ];
}
