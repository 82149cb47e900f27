import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { diskStorage } from '../../src/storage/disk.ts';
import type { StorageProvider } from '../../src/storage/storageProvider.ts';

interface Bench {
  readonly store: StorageProvider;
  /** A local directory for sources, on the same file system as a disk store. */
  readonly workplace: string;
}

/** Every provider has to pass everything below. */
const PROVIDERS: Record<string, (workplace: string) => StorageProvider> = {
  disk: (workplace) => diskStorage(join(workplace, 'store/of/recordings')),
  'disk without hard links': (workplace) =>
    diskStorage(join(workplace, 'store'), { hardLinks: false }),
};

async function setup(make: (workplace: string) => StorageProvider): Promise<Bench> {
  const workplace = await mkdtemp(join(tmpdir(), 'kennel-store-'));
  onTestFinished(async () => await rm(workplace, { recursive: true, force: true }));
  return { workplace, store: make(workplace) };
}

const bytesOf = (text: string): { bytes: Uint8Array } => ({ bytes: Buffer.from(text) });

async function textOf(chunks: AsyncIterable<Uint8Array> | undefined): Promise<string | undefined> {
  if (chunks === undefined) return undefined;
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all).toString();
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe.each(Object.entries(PROVIDERS))('%s', (_name, make) => {
  test('what was put is there, with its size and checksum', async () => {
    const { store } = await setup(make);
    const stored = await store.put('a/b.txt', bytesOf('hello'));
    expect(stored).toEqual({ bytes: 5, checksum: sha256('hello') });
    expect(await store.head('a/b.txt')).toMatchObject({ bytes: 5 });
    expect(await textOf(await store.get('a/b.txt'))).toBe('hello');
  });

  test('a file is stored by its content and survives that the source is deleted', async () => {
    const { store, workplace } = await setup(make);
    const file = join(workplace, 'source');
    await writeFile(file, 'film');
    expect(await store.put('film.mp4', { file })).toEqual({ bytes: 4, checksum: sha256('film') });
    await rm(file);
    expect(await textOf(await store.get('film.mp4'))).toBe('film');
  });

  test('the same file may be put twice under one key', async () => {
    const { store, workplace } = await setup(make);
    const file = join(workplace, 'source');
    await writeFile(file, 'film');
    await store.put('film.mp4', { file });
    await store.put('film.mp4', { file });
    expect((await store.list('')).objects).toEqual([{ key: 'film.mp4', bytes: 4 }]);
  });

  test('a put replaces what was there', async () => {
    const { store } = await setup(make);
    await store.put('a', bytesOf('old'));
    await store.put('a', bytesOf('newer'));
    expect(await textOf(await store.get('a'))).toBe('newer');
  });

  test('ifAbsent leaves alone what is there and says so', async () => {
    const { store } = await setup(make);
    await store.put('a', bytesOf('first'), { ifAbsent: true });
    const second = store.put('a', bytesOf('second'), { ifAbsent: true });
    await expect(second).rejects.toMatchObject({ code: 'destination.conflict' });
    expect(await textOf(await store.get('a'))).toBe('first');
  });

  test('of many writers with ifAbsent exactly one wins, whole', async () => {
    const { store } = await setup(make);
    const texts = Array.from({ length: 10 }, (_, index) => `writer ${index} `.repeat(1_000));
    const results = await Promise.allSettled(
      texts.map(async (text) => await store.put('a', bytesOf(text), { ifAbsent: true })),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(texts).toContain(await textOf(await store.get('a')));
  });

  test('a range gives those bytes, and what there is beyond the end', async () => {
    const { store } = await setup(make);
    await store.put('a', bytesOf('0123456789'));
    const part = async (from: number, to?: number): Promise<string | undefined> =>
      await textOf(await store.get('a', { range: { from, ...(to !== undefined && { to }) } }));
    expect(await part(2, 5)).toBe('234');
    expect(await part(7)).toBe('789');
    expect(await part(8, 100)).toBe('89');
    expect(await part(50, 60)).toBe('');
  });

  test('what is not there is undefined, and deleting it is no error', async () => {
    const { store } = await setup(make);
    expect(await store.head('no')).toBeUndefined();
    expect(await store.get('no')).toBeUndefined();
    await store.delete(['no', 'neither/this']);
    expect(await store.list('')).toEqual({ objects: [] });
  });

  test('what was deleted is gone, and nothing else', async () => {
    const { store } = await setup(make);
    for (const key of ['a', 'b', 'c']) await store.put(key, bytesOf(key));
    await store.delete(['a', 'c']);
    expect((await store.list('')).objects.map(({ key }) => key)).toEqual(['b']);
  });

  test('a list is in order of the keys and knows its prefix', async () => {
    const { store } = await setup(make);
    for (const key of ['b/2', 'a', 'b-1', 'b/1', 'c/d/e', 'b.']) await store.put(key, bytesOf(key));
    const keys = async (prefix: string): Promise<string[]> =>
      (await store.list(prefix)).objects.map(({ key }) => key);
    expect(await keys('')).toEqual(['a', 'b-1', 'b.', 'b/1', 'b/2', 'c/d/e']);
    expect(await keys('b')).toEqual(['b-1', 'b.', 'b/1', 'b/2']);
    expect(await keys('b/')).toEqual(['b/1', 'b/2']);
    expect(await keys('c/d/')).toEqual(['c/d/e']);
    expect(await keys('x')).toEqual([]);
  });

  test('a cursor goes on behind the last key', async () => {
    const { store } = await setup(make);
    for (const key of ['a', 'b/1', 'b/2', 'c']) await store.put(key, bytesOf(key));
    const rest = await store.list('', 'b/1');
    expect(rest.objects.map(({ key }) => key)).toEqual(['b/2', 'c']);
  });

  test.each([
    ['is empty', ''],
    ['is absolute', '/etc/passwd'],
    ['leaves the store', 'a/../../b'],
    ['has an empty part', 'a//b'],
    ['ends in a slash', 'a/'],
    ['has a NUL', 'a\0b'],
    ['has a backslash', '..\\b'],
    ['is too long', 'a/'.repeat(600)],
    ['has a part that is too long', 'x'.repeat(201)],
  ])('a key that %s is refused by every operation', async (_why, key) => {
    const { store } = await setup(make);
    const refusal = { code: 'usage.invalid' };
    await expect(store.put(key, bytesOf('x'))).rejects.toMatchObject(refusal);
    await expect(store.get(key)).rejects.toMatchObject(refusal);
    await expect(store.head(key)).rejects.toMatchObject(refusal);
    await expect(store.delete([key])).rejects.toMatchObject(refusal);
  });

  test('an aborted put leaves nothing', async () => {
    const { store, workplace } = await setup(make);
    const file = join(workplace, 'source');
    await writeFile(file, 'x'.repeat(1_000_000));
    const abort = new AbortController();
    abort.abort(new Error('enough'));
    await expect(store.put('a', { file }, { signal: abort.signal })).rejects.toThrow('enough');
    expect(await store.head('a')).toBeUndefined();
  });

  test('a source that is not there is an error and leaves nothing', async () => {
    const { store, workplace } = await setup(make);
    await expect(store.put('a', { file: join(workplace, 'no') })).rejects.toMatchObject({
      name: 'KennelError',
    });
    expect(await store.head('a')).toBeUndefined();
  });
});

describe('disk only', () => {
  test('no unfinished file stays after any put', async () => {
    const { workplace, store } = await setup((place) => diskStorage(place));
    await writeFile(join(workplace, 'source'), 'film');
    await store.put('a', { file: join(workplace, 'source') });
    await store.put('a', { file: join(workplace, 'source') });
    await store.put('a', bytesOf('x'), { ifAbsent: true }).catch(() => undefined);
    expect((await readdir(workplace)).toSorted()).toEqual(['a', 'source']);
  });

  test('a file on the same file system is linked, not copied', async () => {
    const { workplace, store } = await setup((place) => diskStorage(join(place, 'store')));
    await writeFile(join(workplace, 'source'), 'film');
    await store.put('a', { file: join(workplace, 'source') });
    const [one, other] = await Promise.all(
      ['source', 'store/a'].map(async (name) => await stat(join(workplace, name))),
    );
    expect(one?.ino).toBe(other?.ino);
  });

  test('replacing a linked object does not change the file it came from', async () => {
    const { workplace, store } = await setup((place) => diskStorage(join(place, 'store')));
    await writeFile(join(workplace, 'source'), 'film');
    await store.put('a', { file: join(workplace, 'source') });
    await store.put('a', bytesOf('other'));
    expect(await readFile(join(workplace, 'source'), 'utf8')).toBe('film');
  });

  test('a directory that cannot be made is named as unwritable', async () => {
    const { workplace } = await setup((place) => diskStorage(place));
    await writeFile(join(workplace, 'file'), '');
    const put = diskStorage(join(workplace, 'file/store')).put('a', bytesOf('x'));
    await expect(put).rejects.toMatchObject({ code: 'destination.unwritable' });
  });
});
