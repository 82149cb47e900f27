import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LiveConfig } from '../../../src/config/liveConfig.ts';
import { readConfig } from '../../../src/config/load.ts';
import { watchConfig } from '../../../src/config/watchConfig.ts';
import { systemClock } from '../../../src/core/clock.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kennel-reload-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const write = (text: string) => writeFileSync(join(directory, 'kennel.toml'), text);

function liveConfig() {
  const lines: string[] = [];
  const load = () => readConfig({ env: { KENNEL_DATA_DIR: directory }, directory });
  const live = new LiveConfig(load(), { load, log: (_, message) => lines.push(message) });
  return { live, lines };
}

test('what may change does so, what may not stays with its reason, and both are told', () => {
  write('log_level = "info"\n[api]\nport = 1000');
  const { live, lines } = liveConfig();
  const before = live.current;
  const heard: string[] = [];
  live.onChange(({ logLevel }) => heard.push(logLevel));
  write('log_level = "debug"\nhosts = 9\n[api]\nport = 2000\n[drain]\npolicy = "finish"');
  expect(live.reload('SIGHUP')).toEqual({
    changed: [
      { key: 'log_level', from: 'info', to: 'debug' },
      { key: 'drain.policy', from: 'checkpoint', to: 'finish' },
    ],
    refused: [
      { key: 'hosts', why: 'the hosts run: restart to change it' },
      { key: 'api.port', why: 'the service listens already: restart to change it' },
    ],
  });
  expect(live.current).toMatchObject({ logLevel: 'debug', drain: { policy: 'finish' } });
  expect(live.current.api.port).toBe(1000);
  expect(live.current.hosts).toBe(before.hosts);
  expect(before.logLevel).toBe('info');
  expect(heard).toEqual(['debug']);
  expect(lines).toHaveLength(4);
  const view = new Map(live.view().map((setting) => [setting.key, setting]));
  expect(view.get('api.port')).toMatchObject({ value: 1000, source: 'file' });
  expect(view.get('hosts')).toMatchObject({ source: 'default' });
});

test('a broken file changes nothing, and the next good one does', () => {
  write('log_level = "info"');
  const { live } = liveConfig();
  write('log_level = "loud"\n[api');
  expect(live.reload('SIGHUP').error).toMatch(/kennel\.toml:2/);
  expect(live.current.logLevel).toBe('info');
  write('log_level = "error"');
  expect(live.reload('SIGHUP').changed).toHaveLength(1);
  expect(live.current.logLevel).toBe('error');
});

test('a reload of the same tells nobody anything', () => {
  write('log_level = "info"');
  const { live, lines } = liveConfig();
  live.onChange(() => lines.push('heard'));
  expect(live.reload('SIGHUP')).toEqual({ changed: [], refused: [] });
  expect(lines).toEqual([]);
});

test('a change is seen when the file is replaced, and when the directory that it is mounted from is swapped', async () => {
  const version = (name: string, level: string) => {
    mkdirSync(join(directory, name));
    writeFileSync(join(directory, name, 'kennel.toml'), `log_level = "${level}"`);
  };
  version('..1', 'info');
  symlinkSync('..1', join(directory, '..data'));
  symlinkSync('..data/kennel.toml', join(directory, 'kennel.toml'));
  const { live } = liveConfig();
  let heard = Promise.withResolvers<void>();
  const watch = watchConfig({
    loaded: () => live.loaded,
    onChange: () => {
      live.reload('file');
      heard.resolve();
    },
    directory,
    clock: systemClock,
    log: () => undefined,
  });
  await watch.start();
  version('..2', 'warn');
  symlinkSync('..2', join(directory, '..new'));
  renameSync(join(directory, '..new'), join(directory, '..data'));
  await heard.promise;
  expect(live.current.logLevel).toBe('warn');
  heard = Promise.withResolvers<void>();
  writeFileSync(join(directory, 'new.toml'), 'log_level = "error"');
  renameSync(join(directory, 'new.toml'), join(directory, 'kennel.toml'));
  await heard.promise;
  expect(live.current.logLevel).toBe('error');
  await watch.stop();
});
