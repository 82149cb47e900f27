import { join, normalize } from 'node:path';
import { KennelError } from '../core/errors.ts';

const SEGMENT_BYTES_MAX = 255;

/**
 * Where the file of a submitted job goes: below the service's directory and the tenant's in it. Whoever submits names a path there,
 * and nothing outside can be named.
 *
 * @param wish a file, or a directory with a slash behind; absent: the tenant's directory
 * @returns absolute, with a slash behind when it is a directory
 * @throws KennelError `usage.invalid`
 */
export function outputFor(directory: string, tenantId: string, wish = './'): string {
  const parts = wish.split('/').filter((part) => part !== '' && part !== '.');
  const isBad = (part: string) =>
    part === '..' || part.includes('\\') || Buffer.byteLength(part) > SEGMENT_BYTES_MAX;
  if (wish === '' || wish.startsWith('/') || parts.some(isBad))
    throw new KennelError(
      'usage.invalid',
      `The output ${JSON.stringify(wish)} is no path below the service's directory: write it like "shows/evening.mp4".`,
    );
  const isDirectory = parts.length === 0 || wish.endsWith('/');
  return normalize(`${join(directory, tenantId, ...parts)}${isDirectory ? '/' : ''}`);
}
