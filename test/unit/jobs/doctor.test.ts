import { expect, test } from 'vitest';
import { toolFinding } from '../../../src/jobs/doctor.ts';
import { pluginNamed } from '../../../src/programs/plugins.ts';

const ytDlp = pluginNamed('yt-dlp').tool;
const at = (version: string) => ({ path: '/usr/bin/yt-dlp', version });

test('a tool that is not there is a pity, never a fault', () => {
  for (const name of ['ffmpeg', 'yt-dlp', 'streamlink']) {
    const { tool } = pluginNamed(name);
    const finding = toolFinding(tool, undefined);
    expect(finding).toMatchObject({ check: name, verdict: 'fair', advice: tool.advice });
    expect(finding.found).toMatch(/^not found: /);
  }
});

test('a tool that is too old is not used, with the reason and what to do', () => {
  const finding = toolFinding(ytDlp, at('2022.01.21'));
  expect(finding).toMatchObject({ verdict: 'fair', advice: ytDlp.advice });
  expect(finding.found).toMatch(/^2022\.01\.21 at \/usr\/bin\/yt-dlp; not used, .* is needed: /);
});

test('an old one that works says what newer ones do better', () => {
  const { verdict, found } = toolFinding(ytDlp, at('2023.03.04'));
  expect(verdict).toBe('fair');
  expect(found).toContain('2023.06');
  expect(found).toContain('2025.11.12');
  expect(found).toContain('YouTube');
});

test('a new one is good, and needs no advice', () => {
  expect(toolFinding(ytDlp, at('2025.12.01'))).toEqual({
    check: 'yt-dlp',
    verdict: 'good',
    found: '2025.12.01 at /usr/bin/yt-dlp',
  });
});
