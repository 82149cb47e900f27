import { open } from 'node:fs/promises';
import { KennelError, messageOf } from '../core/errors.ts';
import { COOKIE_FILE_BYTES_MAX } from '../jobs/jobRequest.ts';

/** Whoever is neither its owner nor root. */
const OTHERS = 0o077;

/**
 * The text of a cookie file. `warn` is told when others than its owner may read it.
 *
 * @throws KennelError `usage.invalid`
 */
export async function cookiesOf(path: string, warn: (sentence: string) => void): Promise<string> {
  let text: string;
  let mode: number;
  try {
    await using file = await open(path, 'r');
    const status = await file.stat();
    if (!status.isFile()) throw new Error('it is no file');
    if (status.size > COOKIE_FILE_BYTES_MAX)
      throw new Error(`it is larger than ${COOKIE_FILE_BYTES_MAX} bytes`);
    ({ mode } = status);
    text = await file.readFile('utf8');
  } catch (error) {
    throw new KennelError(
      'usage.invalid',
      `The cookie file ${path} cannot be read: ${messageOf(error)}.`,
      { cause: error },
    );
  }
  if ((mode & OTHERS) !== 0)
    warn(`others may read the cookie file ${path}; chmod 600 keeps them to yourself`);
  return text;
}
