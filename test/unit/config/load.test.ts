import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { configView } from '../../../src/config/configView.ts';
import { didYouMean } from '../../../src/config/didYouMean.ts';
import { type Flags, readConfig } from '../../../src/config/load.ts';
import { SETTINGS } from '../../../src/config/settings.ts';
import { GENERATED } from '../../docs/configuration.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kennel-config-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const file = (text: string, name = 'kennel.toml'): string => {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
};
const read = (env: Record<string, string> = {}, flags: Flags = {}) =>
  readConfig({ env: { KENNEL_DATA_DIR: join(directory, 'data'), ...env }, flags, directory });

/** The lines of what is wrong. */
function problems(env: Record<string, string> = {}, flags: Flags = {}): readonly string[] {
  try {
    read(env, flags);
  } catch (error) {
    if (error instanceof Error)
      return error.message
        .split('\n')
        .slice(1)
        .map((line) => line.trim());
  }
  throw new Error('nothing was wrong');
}

describe('what holds', () => {
  test('a flag goes over the environment, that over the file, and that over the default', () => {
    file('hosts = 2\nlog_level = "warn"\n[api]\nport = 1111\nhost = "127.0.0.2"');
    const { config, sources } = read(
      { KENNEL_API_PORT: '2222', KENNEL_LOG_LEVEL: 'error' },
      { port: '3333' },
    );
    expect(config.api).toMatchObject({ port: 3333, host: '127.0.0.2', keys: 'auto' });
    expect(config).toMatchObject({ hosts: 2, logLevel: 'error' });
    expect(Object.fromEntries(sources)).toMatchObject({
      'api.port': { kind: 'flag', place: '--port' },
      'api.host': { kind: 'file', place: `${join(directory, 'kennel.toml')}:5` },
      log_level: { kind: 'environment', place: 'KENNEL_LOG_LEVEL' },
    });
    expect(sources.has('api.keys')).toBe(false);
  });

  test('the wanted file is read alone, then the one in the working directory, then that in the data directory', () => {
    const data = join(directory, 'data.d');
    const other = file('hosts = 7', 'other.toml');
    mkdirSync(data);
    writeFileSync(join(data, 'kennel.toml'), 'hosts = 5');
    const env = { KENNEL_DATA_DIR: data };
    expect(read(env).config.hosts).toBe(5);
    file('hosts = 6');
    expect(read(env).config.hosts).toBe(6);
    expect(read({ ...env, KENNEL_CONFIG: other }).config.hosts).toBe(7);
    expect(
      read({ ...env, KENNEL_CONFIG: other }, { config: file('', 'empty.toml') }).file,
    ).toContain('empty.toml');
  });

  test('PORT stands for the port of the API, and what Kubernetes writes for a Service of that name does not', () => {
    expect(read({ PORT: '8080' }).config.api.port).toBe(8080);
    const env = { KENNEL_API_PORT: 'tcp://10.0.0.1:80', PORT: '8081' };
    expect(read(env).config.api.port).toBe(8081);
  });

  test('lists are separated by commas or white space in a variable', () => {
    const env = { KENNEL_API_CORS_ORIGINS: 'https://a.example, https://b.example' };
    expect(read(env).config.api.corsOrigins).toEqual(['https://a.example', 'https://b.example']);
  });
});

describe('what is wrong', () => {
  test('is told at once, each with its place', () => {
    const path = file(
      'log_levl = "info"\nhosts = "x"\n[api]\nport = 99999\ncors_origns = []\n[drain]\npolicy = "leave"',
    );
    expect(problems({ KENNEL_HOST_MEMORY_MIB: '12x', KENNEL_HOST: '3' }, { port: 'p' })).toEqual([
      `${path}:1: unknown setting log_levl; did you mean log_level?`,
      `${path}:5: unknown setting api.cors_origns; did you mean api.cors_origins?`,
      'KENNEL_HOST: there is no such variable; did you mean KENNEL_HOSTS?',
      `${path}:2: hosts=x: Invalid input: expected number, received string`,
      expect.stringMatching(/^KENNEL_HOST_MEMORY_MIB: host_memory_mib=12x: /),
      expect.stringMatching(/^--port: api.port=p: /),
      expect.stringMatching(/^.*:7: drain.policy=leave: Invalid option/),
    ]);
  });

  test('a setting outside of its table, and a table that is none, are named', () => {
    file('port = 1\ndrain = "finish"');
    expect(problems()).toEqual([
      expect.stringContaining(':1: unknown setting port; did you mean api.port?'),
      expect.stringContaining(':2: drain is a table: write [drain]'),
    ]);
  });

  test('a file that is no TOML has the line of its fault, and shows nothing of it', () => {
    file('hosts = 1\ndatabase_url = "postgres://u:geheim@h\n');
    expect(() => read()).toThrow(/kennel\.toml:2: /);
    expect(() => read()).not.toThrow(/geheim/);
  });

  test('a wanted file has to be there', () => {
    expect(() => read({}, { config: 'gone.toml' })).toThrow(/gone\.toml: there is no such file/);
  });
});

describe('secrets', () => {
  test('come from the file that their variable names, without the line feed at its end', () => {
    const secret = file('postgres://u:geheim@h/x\n', 'database');
    const { config, secretFiles, sources } = read({ DATABASE_URL_FILE: secret });
    expect(config.databaseUrl?.reveal()).toBe('postgres://u:geheim@h/x');
    expect(secretFiles).toEqual([secret]);
    expect(sources.get('database_url')?.place).toBe('DATABASE_URL_FILE');
  });

  test('come from one place only, and the file must say something', () => {
    const env = { DATABASE_URL: 'postgres://h/x', DATABASE_URL_FILE: file('', 'database') };
    expect(() => read(env)).toThrow(/DATABASE_URL_FILE: is set, and so is DATABASE_URL/);
    expect(() => read({ DATABASE_URL_FILE: env.DATABASE_URL_FILE })).toThrow(/is empty/);
    expect(() => read({ DATABASE_URL_FILE: '/nowhere' })).toThrow(/\/nowhere is not there/);
  });

  test('a complaint about one does not show it', () => {
    expect(() => read({ DATABASE_URL: 'mysql://u:geheim@h' })).toThrow(
      /DATABASE_URL: database_url: must be a postgres:\/\/ URL/,
    );
    expect(() => read({ DATABASE_URL: 'mysql://u:geheim@h' })).not.toThrow(/geheim/);
    expect(() => read({ LIVECLIPPER_URL: 'https://u:geheim@h' })).toThrow(/must hold no name/);
  });
});

describe('what is told of settings', () => {
  test('every setting can change while the service runs, or says why it cannot', () => {
    const silent = SETTINGS.filter(
      ({ reloadable, fixedBecause }) => (reloadable === true) === (fixedBecause !== undefined),
    );
    expect(silent.map(({ key }) => key)).toEqual([]);
    const names = SETTINGS.flatMap((setting) => setting.names);
    expect(names.length).toBe(new Set(names).size);
  });

  test('a view has each of them once, with who said it', () => {
    const view = configView(read({ LIVECLIPPER_SECRET: 'whsec_geheim' }));
    expect(view.map(({ key }) => key)).toEqual(SETTINGS.map(({ key }) => key));
    expect(view.find(({ key }) => key === 'clipper.secret')).toMatchObject({
      value: '[redacted]',
      source: 'environment',
      place: 'LIVECLIPPER_SECRET',
      secret: true,
    });
    expect(view.find(({ key }) => key === 'database_url')).toMatchObject({
      value: null,
      source: 'default',
    });
  });

  test.each(GENERATED)('docs/$name is what the schema is', ({ name, write }) => {
    const docs = join(import.meta.dirname, '..', '..', '..', 'docs');
    expect(readFileSync(join(docs, name), 'utf8')).toBe(write());
  });

  test('a word is near another that is a slip of the finger away, and no further', () => {
    expect(didYouMean('api.prot', ['api.port', 'api.host'])).toBe('api.port');
    expect(didYouMean('queue', ['hosts', 'drain'])).toBeUndefined();
  });
});
