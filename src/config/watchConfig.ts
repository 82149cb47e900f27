import { type FSWatcher, watch } from 'node:fs';
import { basename } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Service } from '../core/service.ts';
import { CONFIG_FILE_NAME, directoriesOf } from './configFile.ts';
import type { LoadedConfig } from './load.ts';

/** Editors and Kubernetes change several entries of a directory for one new content; they are done well within this. */
const QUIET_MS = 250;

/** What Kubernetes swaps when the content of a mounted ConfigMap or Secret changes. */
const MOUNT_LINK = '..data';

export interface WatchConfigOptions {
  /** What is read now: which files, and where a file would be looked for. */
  loaded(): Pick<LoadedConfig, 'file' | 'secretFiles' | 'config'>;
  /** Called once things have been quiet for a moment after a change. */
  onChange(): void;
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Watches the directories of the settings' files, never the files: those are replaced, and a watch on a replaced file sees
 * nothing any more. Where there is no file yet, the places where one would be found are watched.
 */
export function watchConfig(options: WatchConfigOptions): Service {
  const { clock, log } = options;
  const watchers: FSWatcher[] = [];
  let timer: unknown;
  let isOn = false;

  const changed = () => {
    clock.clearTimeout(timer);
    timer = clock.setTimeout(() => {
      if (!isOn) return;
      options.onChange();
      // The files may be others now, and so may the directories be.
      close();
      open();
    }, QUIET_MS);
  };
  const open = () => {
    const { file, secretFiles, config } = options.loaded();
    const files = [...(file === undefined ? [] : [file]), ...secretFiles];
    const names = new Set([CONFIG_FILE_NAME, MOUNT_LINK, ...files.map((path) => basename(path))]);
    const directories = new Set([
      ...files.flatMap((path) => directoriesOf(path)),
      ...(file === undefined ? [options.directory, config.dataDir] : []),
    ]);
    for (const directory of directories) {
      try {
        const watcher = watch(directory, (_, name) => {
          if (name === null || names.has(name)) changed();
        });
        watcher.on('error', (error) => complain(directory, error));
        watchers.push(watcher);
      } catch (error) {
        complain(directory, error);
      }
    }
  };
  const close = () => {
    for (const watcher of watchers.splice(0)) watcher.close();
  };
  const complain = (directory: string, error: unknown) =>
    log('warn', 'changes of the settings are not seen here; SIGHUP reads them again', {
      directory,
      error: messageOf(error),
    });
  return {
    start: async () => {
      if (isOn) return;
      isOn = true;
      open();
    },
    stop: async () => {
      isOn = false;
      clock.clearTimeout(timer);
      close();
    },
  };
}
