import { mkdirSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { systemCodeOf } from '../core/errors.ts';
import { pidAlive, startTicksOf } from '../process/procfs.ts';

const PLACES = 'questions';
/** `<pid>-<start>` of the process that asks. */
const OWNED = /^(\d+)-(\d*)$/;

const nameOf = (pid: number): string => `${pid}-${startTicksOf(pid) ?? ''}`;

/** Where this process asks its questions. Made when it is not there. */
export function questionPlace(runDirectory: string): string {
  const place = join(runDirectory, PLACES, nameOf(process.pid));
  mkdirSync(place, { recursive: true, mode: 0o700 });
  return place;
}

/** Removes what processes that are gone have left of their questions, secret files among it. */
export function sweepQuestionPlaces(runDirectory: string): void {
  const places = join(runDirectory, PLACES);
  try {
    for (const name of readdirSync(places)) {
      const [, pid, start] = OWNED.exec(name) ?? [];
      if (pid === undefined) continue;
      const startTicks = start === '' ? undefined : Number(start);
      if (!pidAlive(Number(pid), startTicks))
        rmSync(join(places, name), { recursive: true, force: true });
    }
  } catch (error) {
    // Never made, or swept by somebody else as well: whoever comes next looks again.
    if (systemCodeOf(error) === undefined) throw error;
  }
}

/** Nothing is asked any more. What is in use still stays for whoever sweeps next. */
export function leaveQuestionPlace(runDirectory: string): void {
  try {
    rmdirSync(join(runDirectory, PLACES, nameOf(process.pid)));
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error;
  }
}
