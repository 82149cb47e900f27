import type { Terminal } from '../terminal.ts';

/** Prints things of one kind: as JSON, one object a line, or as rows with a heading. */
export function showList<Thing>(
  terminal: Terminal,
  things: readonly Thing[],
  {
    json,
    lines,
  }: {
    readonly json: boolean | undefined;
    lines(things: readonly Thing[]): readonly string[];
  },
): void {
  const all = json ? things.map((thing) => JSON.stringify(thing)) : lines(things);
  for (const line of all) terminal.out(line);
}
