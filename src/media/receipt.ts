import { join } from 'node:path';
import { z } from 'zod';
import { OUTCOMES } from '../../machines/vocabulary.ts';
import { readIfThere, writeDurably } from './durableFile.ts';

/** The local note that everything is at its destination. After it, only local files are removed. */
const RECEIPT_FILE = 'uploaded.json';

const receiptSchema = z.object({
  v: z.literal(1),
  outcome: z.enum(OUTCOMES),
  verified: z.boolean(),
  root: z.string(),
  /** Keys at the destination; the manifest last. */
  keys: z.array(z.string()),
  /** Local files below the finish directory that were copied. */
  local: z.array(z.string()),
});
export type Receipt = z.infer<typeof receiptSchema>;

/** What a finished upload left; undefined while there is none. */
export async function readReceipt(finishDirectory: string): Promise<Receipt | undefined> {
  const text = await readIfThere(join(finishDirectory, RECEIPT_FILE));
  return text === undefined ? undefined : receiptSchema.parse(JSON.parse(text));
}

export async function saveReceipt(finishDirectory: string, receipt: Receipt): Promise<void> {
  await writeDurably(join(finishDirectory, RECEIPT_FILE), JSON.stringify(receipt));
}
