import { v7, validate } from 'uuid';

/** A job's id: UUIDv7 (RFC 9562), so that ids sort by the time they were made. */
export const newJobId = (): string => v7();

/** Whether a text can be the id of anything here at all. */
export const isUuid = (text: string): boolean => validate(text);

/** A short form for people: the random tail, since the head of a UUIDv7 is the time. */
export const shortId = (id: string): string => id.slice(-8);
