import { KennelError } from '../../core/errors.ts';

/** A browser's offer of one data channel has 1 KiB. */
export const OFFER_CHARACTERS_MAX = 16 * 1024;

const APPLICATION = /^application \d+ (UDP|TCP)\/DTLS\/SCTP webrtc-datachannel$/;

/**
 * An offer of one data channel and nothing else, without the addresses that it names: whoever made it connects to Kennel, and
 * Kennel sends nothing to addresses that a caller thinks of.
 *
 * @throws KennelError `request.invalid`
 */
export function checkedOffer(sdp: string): string {
  if (sdp.length > OFFER_CHARACTERS_MAX)
    throw notRight(`is longer than ${OFFER_CHARACTERS_MAX} characters`);
  const lines = sdp.split(/\r?\n/).filter((line) => line !== '');
  if (lines[0] !== 'v=0') throw notRight('does not begin with v=0');
  const media = lines.filter((line) => line.startsWith('m=')).map((line) => line.slice(2));
  const [first] = media;
  if (first === undefined || media.length > 1 || !APPLICATION.test(first))
    throw notRight('must offer one data channel, and neither sound nor pictures');
  for (const needed of ['a=ice-ufrag:', 'a=ice-pwd:', 'a=fingerprint:sha-256 ', 'a=sctp-port:'])
    if (!lines.some((line) => line.startsWith(needed))) throw notRight(`has no ${needed.slice(2)}`);
  const rest = lines.filter((line) => !/^a=(candidate:|end-of-candidates)/.test(line));
  return `${rest.join('\r\n')}\r\n`;
}

const notRight = (why: string) => new KennelError('request.invalid', `the offer ${why}`);
