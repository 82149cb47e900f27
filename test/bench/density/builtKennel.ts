import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '../../..');

/** Kennel as it is installed: JavaScript. Stripping types at every start costs each process some 25 MB and 0.3 s. */
export interface BuiltKennel {
  /** The recorder host's entry file. */
  readonly hostEntry: string;
  /** Writes a program of this folder into a directory, so that it runs what is built, and returns its path. */
  write(program: 'kennelNode' | 'watchedHost', directory: string): string;
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
    hostEntry: join(source, 'hosts/host/main.js'),
    write: (program, directory) => {
      const script = join(directory, `${program}.mjs`);
      const text = stripTypeScriptTypes(
        readFileSync(join(import.meta.dirname, `${program}.ts`), 'utf8'),
      );
      writeFileSync(
        script,
        text.replace(/'\.\.\/\.\.\/\.\.\/src\/(.+)\.ts'/g, `'${source}/$1.js'`),
      );
      return script;
    },
  };
}
