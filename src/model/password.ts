/** Length is what counts; rules about letters and digits only make passwords alike. */
const SHORTEST_PASSWORD = 12
export const LONGEST_PASSWORD = 256

/** What is wrong with a new password, in a sentence without it; undefined if nothing is. */
export function faultOfPassword(password: string, email: string): string | undefined {
  if (password.length < SHORTEST_PASSWORD) {
    return `The password is too short (minimum is ${SHORTEST_PASSWORD} characters).`
  }
  if (password.length > LONGEST_PASSWORD) {
    return `The password is too long (maximum is ${LONGEST_PASSWORD} characters).`
  }
  if (new Set(password).size === 1) return 'The password is one character all along.'
  if (password.toLowerCase().includes(email.toLowerCase())) {
    return 'The password must not have the e-mail address in it.'
  }
  return undefined
}
