/** What there is to see of a program that should only fetch. */
export interface MuxLook {
  /** Files in its work directory, now and at the look before. */
  readonly files: readonly string[];
  readonly filesBefore: readonly string[];
  /** Arguments, the program's own name first, of the processes that it has started. */
  readonly commandLines: readonly (readonly string[])[];
  /** It said so itself. */
  readonly saysMuxing: boolean;
}

export interface MuxSign {
  /**
   * `said`: it told of muxing. `process`: an ffmpeg of it reads a local file. `temp`: a muxed file is being written. `formats`: parts of several
   * formats, which are to be merged. `extracted`: sound beside the picture that it was taken from. `part.vanished`: a download
   * was given its last name, which is when its fixing up begins.
   */
  readonly sign: 'said' | 'process' | 'temp' | 'formats' | 'extracted' | 'part.vanished';
  readonly file: string;
}

/** Suffixes of files that are being downloaded (yt-dlp): such a file is no result yet. */
const PARTIAL = /\.(part|ytdl)$|\.part-Frag\d+(\.part)?$/;
/** yt-dlp names a format's own file `NAME.fFORMAT.ext`; the formats of one download are merged afterwards. */
const FORMAT = /^(.+)\.f[\w-]+\.\w{2,5}$/;
const SOUND = /^(.+)\.(m4a|mp3|opus|aac|ogg|flac|wav)$/;
const PICTURE = /\.(mp4|mkv|webm|ts|mov|flv)$/;

/**
 * Whether a program muxes or converts, which is Kennel's own work: everything by which yt-dlp and its kind give it away, the surest
 * sign first. A program that records puts its media on its standard output and has no business with media files.
 */
export function muxSign({
  files,
  filesBefore,
  commandLines,
  saysMuxing,
}: MuxLook): MuxSign | undefined {
  if (saysMuxing) return { sign: 'said', file: '' };
  for (const command of commandLines) {
    const file = localInput(command);
    if (file !== undefined) return { sign: 'process', file };
  }
  const temp = files.find((file) => file.includes('.temp.'));
  if (temp !== undefined) return { sign: 'temp', file: temp };
  const formats = siblingFormat(files);
  if (formats !== undefined) return { sign: 'formats', file: formats };
  const sound = soundBesidePicture(files);
  if (sound !== undefined) return { sign: 'extracted', file: sound };
  const finished = vanishedPart(files, filesBefore);
  return finished === undefined ? undefined : { sign: 'part.vanished', file: finished };
}

/** The local file that an ffmpeg reads (`-i file:NAME`). One that fetches reads an address. */
function localInput([program = '', ...rest]: readonly string[]): string | undefined {
  if (!/(^|\/)(ffmpeg|avconv)[^/]*$/.test(program)) return undefined;
  const input = rest.find(
    (argument, index) => rest[index - 1] === '-i' && argument.startsWith('file:'),
  );
  return input?.slice('file:'.length);
}

function siblingFormat(files: readonly string[]): string | undefined {
  const seen = new Map<string, string>();
  for (const file of files) {
    const whole = file.replace(PARTIAL, '');
    const [, name] = FORMAT.exec(whole) ?? [];
    if (name === undefined) continue;
    const other = seen.get(name);
    if (other !== undefined && other !== whole) return file;
    seen.set(name, whole);
  }
  return undefined;
}

function soundBesidePicture(files: readonly string[]): string | undefined {
  const pictures = new Set(
    files.filter((file) => PICTURE.test(file)).map((file) => file.replace(PICTURE, '')),
  );
  return files.find((file) => {
    const [, name] = SOUND.exec(file) ?? [];
    return name !== undefined && pictures.has(name);
  });
}

function vanishedPart(files: readonly string[], before: readonly string[]): string | undefined {
  const now = new Set(files);
  return before
    .filter((file) => PARTIAL.test(file) && !now.has(file))
    .map((file) => file.replace(PARTIAL, ''))
    .find((file) => now.has(file));
}
