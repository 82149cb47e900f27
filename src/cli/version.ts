import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Kennel's version, from the nearest package.json above this file (source tree and built package differ in depth). */
export function version(): string {
  for (let directory = import.meta.dirname; ; directory = dirname(directory)) {
    try {
      return String(JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')).version);
    } catch {
      if (directory === dirname(directory)) return 'unknown';
    }
  }
}
