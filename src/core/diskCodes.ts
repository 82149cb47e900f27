/** System codes that mean: no space, no quota, or the file system's largest file. */
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
/** Failures that pass by themselves on network and overlay file systems. */
const PASSING = new Set([
  'EIO',
  'EAGAIN',
  'EBUSY',
  'EINTR',
  'ESTALE',
  'ETIMEDOUT',
  'EMFILE',
  'ENFILE',
]);

export const isDiskFull = (systemCode: string | undefined): boolean =>
  systemCode !== undefined && FULL.has(systemCode);

/** Whether trying the same file operation again can help: also when somebody makes room. */
export const isPassingDiskError = (systemCode: string | undefined): boolean =>
  isDiskFull(systemCode) || (systemCode !== undefined && PASSING.has(systemCode));
