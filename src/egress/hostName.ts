/** A name in the form that URLs have it: labels of letters, digits, hyphens and underscores. */
const NAME = /^[a-z\d_](?:[a-z\d_-]*[a-z\d_])?(?:\.[a-z\d_](?:[a-z\d_-]*[a-z\d_])?)*$/;

/** A host as it is compared: lower case, without brackets and without the final dot. */
export const plainHost = (host: string): string =>
  host
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');

/** Whether it is a name (or an IPv4 address), in the form of `plainHost`. */
export const isHostName = (name: string): boolean => NAME.test(name);
