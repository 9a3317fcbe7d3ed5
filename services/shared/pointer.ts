/** JSON Pointers (RFC 6901): by which a refusal names a place. */

/** One part of a pointer. */
export const escapePointer = (part: string): string => part.replaceAll('~', '~0').replaceAll('/', '~1')
