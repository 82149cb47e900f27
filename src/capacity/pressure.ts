import { readFile } from 'node:fs/promises';

/** Percent of the last ten seconds in which some task waited for it (PSI, Documentation/accounting/psi.rst of Linux). */
export type Pressure = Readonly<Record<'cpu' | 'memory' | 'io', number>>;

/** Undefined where the kernel does not tell. */
export async function readPressure(directory = '/proc/pressure'): Promise<Pressure | undefined> {
  try {
    const [cpu, memory, io] = await Promise.all(
      ['cpu', 'memory', 'io'].map(async (name) =>
        someAvg10(await readFile(`${directory}/${name}`, 'latin1')),
      ),
    );
    if (cpu === undefined || memory === undefined || io === undefined) return undefined;
    return { cpu, memory, io };
  } catch {
    return undefined;
  }
}

function someAvg10(text: string): number | undefined {
  const [, percent] = /^some avg10=([\d.]+)/m.exec(text) ?? [];
  return percent === undefined ? undefined : Number(percent);
}
