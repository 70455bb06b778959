/** Bytes. */
const LONGEST_LINE = 512

/**
 * Reads the first line, `SECRET[?QUERY]`, of a client's records. Undefined: it is no such line.
 * A secret is in hexadecimal digits, small ones: the front door takes capitals for HTTP.
 * The client sends nothing more until it was answered.
 */
export async function readSecret(
  records: AsyncIterator<Buffer>,
): Promise<string | undefined> {
  let line = ''
  while (!line.includes('\n')) {
    const { done, value } = await records.next()
    if (done || line.length + value.length > LONGEST_LINE) return undefined
    line += value.toString('latin1')
  }
  return /^([0-9a-f]+)(\?[^\r\n]*)?\r?\n$/.exec(line)?.[1]
}
