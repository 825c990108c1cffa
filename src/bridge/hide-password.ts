/**
 * An address for messages and logs. All between the first slashes and the last `@` is hidden: each of
 * several servers may have a password, and a slash may be in one.
 */
export function hidePassword(address: string): string {
  return address.replace(/\/\/.*@/, '//…@')
}
