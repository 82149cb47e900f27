import type { ResolvedLink } from '../intake/link.ts';
import type { FoundTool } from './recorderPlugin.ts';

/** Longer titles are no titles. */
const TITLE_CHARACTERS_MAX = 300;

/** What is recorded, for people, the manifest, and a later attempt. No addresses: they may hold tokens. */
export function describeProgram(
  { kind, title, uploader, isLive, durationMs, resolver }: ResolvedLink,
  { name, tool }: { name: string; tool: FoundTool },
): Readonly<Record<string, unknown>> {
  return {
    recorder: name,
    version: tool.version,
    kind,
    ...(title !== undefined && { title: title.slice(0, TITLE_CHARACTERS_MAX) }),
    ...(uploader !== undefined && { uploader: uploader.slice(0, TITLE_CHARACTERS_MAX) }),
    ...(isLive !== undefined && { isLive }),
    ...(durationMs !== undefined && { durationMs }),
    ...(resolver !== undefined && { resolver }),
    tracks: [{ track: 'main', kind: 'main' }],
  };
}
