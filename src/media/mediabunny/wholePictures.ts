import type { EncodedPacket } from 'mediabunny';

/**
 * Puts pictures together again that were read in two pieces: in MPEG-TS a delimiter may stand before the parameter sets and once
 * more before the picture (ffmpeg writes HEVC so), and what lies between them is read as a picture of no duration at the same time.
 */
export async function* wholePictures(
  packets: AsyncIterable<EncodedPacket>,
): AsyncGenerator<EncodedPacket, void, unknown> {
  let before: EncodedPacket | undefined;
  for await (const packet of packets) {
    if (before === undefined) {
      before = packet;
    } else if (before.duration === 0 && before.timestamp === packet.timestamp) {
      before = packet.clone({ data: joined(before.data, packet.data), type: before.type });
    } else {
      yield before;
      before = packet;
    }
  }
  if (before !== undefined) yield before;
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(one.length + other.length);
  bytes.set(one);
  bytes.set(other, one.length);
  return bytes;
}
