/** What a finished file says about itself; every text is fit to be read, and none is longer than `TAG_CHARACTERS_MAX`. */
export interface FileTags {
  readonly title?: string;
  readonly artist?: string;
  readonly comment?: string;
}

/** No title that people read is longer; players show the first hundred. */
const TAG_CHARACTERS_MAX = 300;

/** Control characters, and what turns the direction of writing so that a name shows as another one. */
const UNFIT = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu;

/** Text of somebody else's, as one line that holds nothing but text. Half of a character that was cut in two is left out. */
export const plainText = (text: string): string =>
  text
    .slice(0, TAG_CHARACTERS_MAX)
    .toWellFormed()
    .replaceAll(/\ufffd$/g, '')
    .replaceAll(UNFIT, ' ')
    .trim();

/** The title of the broadcast, who made it, and its page; where nobody said a title, the file's own name. */
export function fileTags(
  about: { readonly title?: string; readonly uploader?: string; readonly page?: string },
  name: string,
): FileTags {
  const { title = name, uploader, page } = about;
  return {
    ...tag('title', title),
    ...tag('artist', uploader),
    ...tag('comment', page),
  };
}

function tag(name: keyof FileTags, text = ''): FileTags {
  const plain = plainText(text);
  return plain === '' ? {} : { [name]: plain };
}
