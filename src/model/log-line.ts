/** Bytes of a log line's text: of what a dyno prints longer ones become several, as on Heroku. */
export const LONGEST_LINE = 10_000
