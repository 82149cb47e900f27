import type { Soaked, Station } from './perform.ts';

const megabytes = (bytes: number): string => (bytes / 1024 ** 2).toFixed(1);

const line = (cells: readonly string[]): string =>
  cells.map((cell, index) => (index < 2 ? cell.padEnd(11) : cell.padStart(12))).join(' ');

const resources = ({ inside }: Station): string =>
  inside === undefined
    ? 'not told'
    : Object.entries(inside.resources)
        .map(([kind, count]) => `${kind} ${count}`)
        .join(', ');

/** How the processes were, before, in the middle and after it all. */
export function stationsTable({ stations }: Soaked): string {
  const head = line(['when', 'process', 'pid', 'RSS MB', 'heap MB', 'descriptors']);
  const shown = stations.filter(({ when }) => when !== 'on the way');
  const rows = shown.map((one) => {
    const { when, role, pid, rssBytes, inside, descriptors } = one;
    const heap = inside === undefined ? '–' : megabytes(inside.heapBytes);
    const cells = [when, role, String(pid), megabytes(rssBytes), heap, String(descriptors)];
    return `${line(cells)}  ${resources(one)}`;
  });
  return [`${head}  resources`, ...rows].join('\n');
}

/** What went wrong, and what came of it. */
export function accountsTable({ accounts, weather }: Soaked): string {
  const faults = [...weather.counts].toSorted(([one], [other]) => one.localeCompare(other));
  const told = faults.map(([what, count]) => `${what} ${count}`).join(', ');
  const head = line(['show', '', 'advertised', 'stored', 'lost', 'attempts']);
  const rows = accounts.map(({ show, advertised, stored, lost, attempts }) =>
    line([show, '', ...[advertised, stored, lost, attempts].map(String)]),
  );
  return [`What went wrong: ${told}`, '', head, ...rows].join('\n');
}
