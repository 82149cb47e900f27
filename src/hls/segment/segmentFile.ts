import { createDecipheriv, type Decipheriv } from 'node:crypto';
import type { ChecksumAlgorithm } from '../../ledger/record.ts';
import { BodyFile } from '../../recording/files/bodyFile.ts';
import {
  type Container,
  ContainerCheck,
  type ExpectedContainer,
  invalid,
} from '../../recording/files/container.ts';
import { type BodyRequest, receiveBody } from './segmentBody.ts';

export interface SegmentRequest extends BodyRequest {
  /** AES-128 (CBC, PKCS#7) of the whole segment: 16 bytes each. */
  readonly decrypt?: { readonly key: Uint8Array; readonly iv: Uint8Array };
  /** Where the segment goes. Its directory exists; a file of that name is written over. */
  readonly file: string;
  readonly checksums: ChecksumAlgorithm;
  /** Default: a media segment of any container. */
  readonly container?: ExpectedContainer;
  /** Called with how long a whole segment's media lasts, where that is known (see `ContainerCheck`). What it throws refuses it. */
  accept?(spanMs: number | undefined): void;
}

export interface FetchedSegment {
  /** Length of the file. */
  readonly bytes: number;
  /** Of the file, hex. */
  readonly checksum: string;
  readonly container: Container;
}

/**
 * Fetches one segment into a file. Resolves once it is whole, checked and durable (its name is, after `syncDirectory`).
 * Rejects, leaving no file: as `receiveBody` does; `segment.invalid` when it is no whole media segment; `disk.full`,
 * `disk.failed`.
 */
export async function fetchSegment(request: SegmentRequest): Promise<FetchedSegment> {
  const check = new ContainerCheck(request.container ?? 'any');
  const { file: path, checksums } = request;
  const file = new BodyFile({ path, checksums, inspect: (bytes) => check.feed(bytes) });
  try {
    const decipher = decipherOf(request);
    await receiveBody(request, (bytes) =>
      file.write(decipher === undefined ? bytes : decipher.update(bytes)),
    );
    if (decipher !== undefined) await file.write(lastBlock(decipher));
    file.seal();
    const container = check.finish();
    request.accept?.(check.spanMs);
    return { ...(await file.finish()), container };
  } catch (error) {
    await file.abandon();
    throw error;
  }
}

function decipherOf({ decrypt }: SegmentRequest): Decipheriv | undefined {
  return decrypt && createDecipheriv('aes-128-cbc', decrypt.key, decrypt.iv);
}

function lastBlock(decipher: Decipheriv): Buffer {
  try {
    return decipher.final();
  } catch (cause) {
    throw invalid('it cannot be decrypted: the key is wrong, or its end is missing', {
      cause: cause instanceof Error ? cause.message : String(cause),
    });
  }
}
