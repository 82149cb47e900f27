import type { PostgresServer } from '../../support/postgres.ts';
import type { Subject, Taken } from '../record/subject.ts';
import type { BuiltKennel } from './builtKennel.ts';
import type { DensityOrigin } from './densityOrigin.ts';
import { engineSubject } from './engineSubject.ts';
import { kennelSubject } from './kennelSubject.ts';
import { commandsOf } from './peers.ts';
import { isPeer, type Recorder } from './plan.ts';
import { programSubject } from './programSubject.ts';

export interface SubjectsOptions {
  readonly origin: DensityOrigin;
  readonly built: BuiltKennel;
  /** Where all of them keep what they record. */
  readonly directory: string;
  /** The file of each peer's program. */
  readonly programs: ReadonlyMap<Recorder, string>;
  readonly postgres: PostgresServer | undefined;
  readonly hosts: number | undefined;
  readonly profileDirectory: string | undefined;
}

/** Starts a recorder on all streams of the origin. */
export async function startSubject(name: Recorder, options: SubjectsOptions): Promise<Subject> {
  const { origin, built, directory, programs, postgres, hosts, profileDirectory } = options;
  const { certificateFile } = origin;
  const urls = Array.from({ length: origin.streams }, (_, index) => origin.url(name, index));
  const common = { name, directory, urls, certificateFile, hosts, taken: takenFrom(origin, name) };
  if (isPeer(name)) {
    const program = programs.get(name) ?? name;
    return programSubject({
      ...common,
      commands: (own) => commandsOf(name, { program, urls, certificateFile }, own),
    });
  }
  if (name === 'engine')
    return await engineSubject({ ...common, profileDirectory, entry: built.hostEntry });
  const databaseUrl = name === 'kennel' ? undefined : await postgres?.createDatabase();
  const isServerOurs = postgres?.crash !== undefined;
  return kennelSubject({ ...common, built, databaseUrl, isServerOurs, profileDirectory });
}

/** The origin's count is everybody's: nobody is believed about itself. Nothing counts before every stream has begun. */
const takenFrom = (origin: DensityOrigin, name: string) => async (): Promise<Taken> => {
  const { bytes, segments, streams } = await origin.served(name);
  return streams < origin.streams ? { bytes: 0, segments: 0 } : { bytes, segments };
};
