import { KennelError } from '../core/errors.ts';

/** Something that is wrong with the settings. */
export interface Problem {
  /** Where it was said: `kennel.toml:12`, `KENNEL_API_PORT`, `--port`. */
  readonly place: string;
  /** Holds no secret. */
  readonly message: string;
}

/** All that is wrong, in one error. */
export function invalidConfig(problems: readonly Problem[]): KennelError {
  const told = problems.map(({ place, message }) => `${place}: ${message}`);
  const text = told.length === 1 ? ` ${told[0]}` : told.map((line) => `\n  ${line}`).join('');
  return new KennelError('config.invalid', `The configuration is not valid:${text}`, {
    details: { problems: told },
  });
}
