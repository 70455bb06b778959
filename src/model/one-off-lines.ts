/** What is said of one-off dynos alone, word for word as Heroku does; the rest: dyno-lines.ts. */

export const AWAITING_CLIENT = 'Awaiting client'
export const ATTACH_ERROR = 'Error R13 (Attach error) -> Failed to attach to process'
export const CLIENT_GONE = 'Client connection closed. Sending SIGHUP to all processes'
export const NOT_HEEDING_HANG_UP =
  'Error R16 (Detached) -> An attached process is not responding to SIGHUP after its external connection was closed.'

/** `complete` is no state of a row: it is how a one-off's end is told. */
export function completed(from: 'starting' | 'up'): string {
  return `State changed from ${from} to complete`
}
