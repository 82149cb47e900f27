/** A move, a decision or a gap, with why. */
export interface ToldMove {
  readonly date: string;
  readonly what: string;
  readonly why: string;
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** One line, and below it the last lines that a program said. */
export function historyLines({ date, what, why: reason, evidence }: ToldMove): string[] {
  const { stderrTail, ...facts } = evidence;
  const head = `${date}  ${what.padEnd(28)} ${reason.padEnd(20)} ${JSON.stringify(facts)}`;
  const said = typeof stderrTail === 'string' ? stderrTail.split('\n') : [];
  return [head, ...said.filter((line) => line !== '').map((line) => `    | ${line}`)];
}
