import fc from 'fast-check';
import { expect, test } from 'vitest';
import { outputFor } from '../../../src/jobs/outputFor.ts';

test.each([
  [undefined, '/out/acme/'],
  ['./', '/out/acme/'],
  ['show.mp4', '/out/acme/show.mp4'],
  ['a/./b//c.mp4', '/out/acme/a/b/c.mp4'],
  ['shows/', '/out/acme/shows/'],
])('%s is %s', (wish, place) => {
  expect(outputFor('/out', 'acme', wish)).toBe(place);
});

test.each(['/etc/passwd', '../other/x.mp4', 'a/../../b', '..', '', 'a\\..\\b', 'x'.repeat(256)])(
  'the path %j is refused',
  (wish) => {
    expect(() => outputFor('/out', 'acme', wish)).toThrow(/no path below/);
  },
);

test('whatever is asked for lies below the directory of the tenant, or is refused', () => {
  const pieces = fc.constantFrom('..', '.', '/', 'a', '\\', '...', ' ', 'ä', '%2e%2e');
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 8 }), (parts) => {
      let place: string;
      try {
        place = outputFor('/out', 'acme', parts.join(''));
      } catch {
        return;
      }
      expect(place.startsWith('/out/acme/')).toBe(true);
      expect(place.split('/')).not.toContain('..');
    }),
  );
});
