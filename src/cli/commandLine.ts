import { Command } from 'commander';
import { addJobCommands } from './commandGroups/jobCommands.ts';
import { addMachineCommands } from './commandGroups/machineCommands.ts';
import { addNodeCommands } from './commandGroups/nodeCommands.ts';
import { addRecordingCommands } from './commandGroups/recordingCommands.ts';
import type { CliContext } from './context.ts';
import { version } from './version.ts';

const EXIT_CODES = `
Exit codes:
  0 complete · 3 finished with named gaps · 4 truncated (it ended before what was asked for)
  64 usage · 65 not a playlist that can be recorded · 66 no such stream or job · 69 source unavailable
  70 internal · 73 cannot create the output · 74 disk or input/output · 75 busy, try later · 77 refused
  78 configuration · 130/143 after SIGINT/SIGTERM, once what was recorded is finalised
Settings: kennel.toml (--config, KENNEL_CONFIG), and variables; docs/configuration.md has all of them.
Environment: KENNEL_DATA_DIR, DATABASE_URL, KENNEL_HOSTS, KENNEL_HOST_MEMORY_MIB, KENNEL_LOG_LEVEL,
  KENNEL_FFMPEG, KENNEL_YTDLP, KENNEL_STREAMLINK, KENNEL_ALLOW, KENNEL_SANDBOX, KENNEL_TOOL_MEMORY_MIB,
  NODE_EXTRA_CA_CERTS, NO_COLOR; KENNEL_SERVER, KENNEL_API_KEY, KENNEL_API_KEY_FILE: a service elsewhere;
  RUNNING_MODE=api starts the service;
  RUNNING_MODE=adhoc MANIFEST_URL=… [QUALITY=… DURATION=… OUTPUT=… FALLBACK_URLS=… DUAL=1 AUDIO=… AUDIO_ONLY=1
  SUBTITLES=… PROXY_URL=… RECORDER=… FORMAT=… COOKIES=… ALLOW=… BANDWIDTH=… WAIT=… FIRST_MEDIA=… STALE_AFTER=…]
  records without arguments; several fallbacks and allowed addresses are separated by white space.`;

/** Every command with its options. What a command does is loaded when it is asked for. */
export function commandLine(context: CliContext, done: (exitCode: number) => void): Command {
  const program = new Command('kennel')
    .description('Records live streams, unattended, and proves what it has.')
    .version(version())
    .showHelpAfterError('(kennel --help tells more)')
    .addHelpText('after', EXIT_CODES)
    .exitOverride();
  const group = { context, done };
  addRecordingCommands(program, group);
  addJobCommands(program, group);
  addNodeCommands(program, group);
  addMachineCommands(program, group);
  return program;
}
