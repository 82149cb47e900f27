import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { systemCodeOf } from '../../core/errors.ts';

/** What the page needs of swagger-ui-dist, and what it is. */
const TYPE_OF_ASSET = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
} as const;

export type AssetName = keyof typeof TYPE_OF_ASSET;

export const isAsset = (name: string): name is AssetName => Object.hasOwn(TYPE_OF_ASSET, name);

export const typeOfAsset = (name: AssetName): string => TYPE_OF_ASSET[name];

/** `npm run build` copies the assets here, since the package is there for development alone. */
const BUILT = join(import.meta.dirname, 'assets');

/** The bytes of an asset; undefined when neither the copy nor the package is there. */
export async function readAsset(name: AssetName): Promise<Uint8Array<ArrayBuffer> | undefined> {
  for (const directory of [BUILT, installed()]) {
    const bytes = directory === undefined ? undefined : await readIfThere(join(directory, name));
    if (bytes) return bytes;
  }
  return undefined;
}

function installed(): string | undefined {
  try {
    const load = createRequire(import.meta.url);
    return dirname(load.resolve('swagger-ui-dist/package.json'));
  } catch {
    return undefined;
  }
}

async function readIfThere(file: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
