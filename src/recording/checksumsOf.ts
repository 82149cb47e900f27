import { CHECKSUMS_DEFAULT } from '../ledger/contentHash.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { ChecksumAlgorithm } from '../ledger/record.ts';

/** How the files of a recording are hashed: as its journal says, or, where that has no line yet, as its first line will say. */
export const checksumsOf = ({ jobId, checksums }: Ledger): ChecksumAlgorithm =>
  jobId === undefined ? CHECKSUMS_DEFAULT : checksums;
