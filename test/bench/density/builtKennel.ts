import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '../../..');
const NODE = join(import.meta.dirname, 'kennelNode.ts');

/** Kennel as it is installed: JavaScript. Stripping types at every start costs each process some 25 MB and 0.3 s. */
export interface BuiltKennel {
  /** The recorder host's entry file. */
  readonly hostEntry: string;
  /** Writes the program that runs a node with many jobs into a directory, and returns its path. */
  writeNode(directory: string): string;
}

/** Builds what is packed, into `dist`. Rejects when it does not compile. */
export async function builtKennel(): Promise<BuiltKennel> {
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  await promisify(execFile)(process.execPath, [
    compiler,
    '-p',
    join(ROOT, 'src/tsconfig.build.json'),
  ]);
  const source = join(ROOT, 'dist/src');
  return {
    hostEntry: join(source, 'hls/host/main.js'),
    writeNode: (directory) => {
      const script = join(directory, 'kennelNode.mjs');
      const text = stripTypeScriptTypes(readFileSync(NODE, 'utf8'));
      writeFileSync(
        script,
        text.replace(/'\.\.\/\.\.\/\.\.\/src\/(.+)\.ts'/g, `'${source}/$1.js'`),
      );
      return script;
    },
  };
}
