/** Requests an account may make an hour. They are not counted yet: nobody runs out. */
export const RATE_LIMIT = 4500
