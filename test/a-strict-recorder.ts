/**
 * A dyno that reads HTTP/1.1 as RFC 9112 has it and nothing else: each request it sees, and
 * each byte it would have had to guess about. It answers a request with what it was asked for.
 */

import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

import { until } from './until.ts'

export interface Recorded {
  /** `GET /path`. */
  readonly line: string
  /** Which of the recorder's connections it came by. */
  readonly over: number
}

export interface StrictRecorder {
  readonly address: string
  readonly port: number
  /** Since last asked, in the order in which they came. */
  requests(): Recorded[]
  /**
   * What no strict reader would take, since last asked. A head that has begun and goes on no
   * further is such, too, for routers say a head in one go: to be asked when none is under way.
   */
  faults(): string[]
  /** Resolves, to the connections that are open, once none is in the middle of a body. */
  atRest(): Promise<readonly number[]>
  /** Ends every connection; resolves once the other side has, too. */
  hangUp(): Promise<void>
}

interface Connection {
  readonly socket: Socket
  /** What came and is no whole request yet. */
  rest: string
}

let recorders = 0

export async function aStrictRecorder(t: TestContext): Promise<StrictRecorder> {
  const requests: Recorded[] = []
  const faults: string[] = []
  const connections = new Map<number, Connection>()
  let opened = 0

  function tellUnfinished(its: Connection): void {
    if (isHead(its.rest)) faults.push(`an unfinished head: ${shown(its.rest)}`)
  }

  const server = createServer((socket) => {
    const over = ++opened
    const its: Connection = { socket, rest: '' }
    connections.set(over, its)
    socket.on('error', () => {})
    socket.on('close', () => {
      connections.delete(over)
      tellUnfinished(its)
    })
    socket.setEncoding('latin1').on('data', (text: string) => {
      its.rest += text
      for (;;) {
        const read = readRequest(its.rest)
        if (read === 'more') return
        if ('fault' in read) {
          faults.push(`${read.fault}: ${shown(its.rest)}`)
          its.rest = ''
          socket.destroy()
          return
        }
        its.rest = its.rest.slice(read.length)
        requests.push({ line: read.line, over })
        socket.write(answerTo(read.line))
      }
    })
  })
  server.listen(0, `127.7.${1 + (process.pid % 200)}.${++recorders}`)
  await once(server, 'listening')
  t.after(() => {
    for (const { socket } of connections.values()) socket.destroy()
    server.close()
  })
  const { address, port } = server.address() as AddressInfo
  return {
    address,
    port,
    requests: () => requests.splice(0),
    faults() {
      for (const its of connections.values()) tellUnfinished(its)
      return faults.splice(0)
    },
    async atRest() {
      await until('no connection is in the middle of a body', () =>
        [...connections.values()].every(({ rest }) => rest === '' || isHead(rest)),
      )
      return [...connections.keys()]
    },
    async hangUp() {
      for (const { socket } of connections.values()) socket.end()
      await until('the other side has hung up, too', () => connections.size === 0)
    },
  }
}

/** Whether it is something, and the headers have not ended. */
function isHead(rest: string): boolean {
  return rest !== '' && !rest.includes('\r\n\r\n')
}

function answerTo(line: string): string {
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${line.length}\r\n\r\n`
  return line.startsWith('HEAD ') ? head : `${head}${line}`
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 200))
}

type Read =
  | 'more'
  | { readonly fault: string }
  /** `length`: of all of it, body included. */
  | { readonly line: string; readonly length: number }

const TOKEN = /^[!#$%&'*+.^_`|~\w-]+$/

/** Of the bytes of a connection, from the beginning of a request on. */
export function readRequest(text: string): Read {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return 'more'
  const [first = '', ...lines] = text.slice(0, end).split('\r\n')
  const line = /^([!#$%&'*+.^_`|~\w-]+) (\/[!-~]*|\*) HTTP\/1\.[01]$/.exec(first)
  if (!line) return { fault: 'no request line' }
  const headers = new Map<string, string[]>()
  for (const header of lines) {
    const colon = header.indexOf(':')
    const [name, value] = [header.slice(0, colon), header.slice(colon + 1).trim()]
    if (!TOKEN.test(name)) return { fault: 'no header' }
    if (/[\0\r\n]/.test(value)) return { fault: 'a header with a control character' }
    const key = name.toLowerCase()
    headers.set(key, [...(headers.get(key) ?? []), value])
  }
  if (headers.get('host')?.length !== 1) return { fault: 'not one Host' }
  const [lengths = [], codings = []] = ['content-length', 'transfer-encoding'].map(
    (it) => headers.get(it) ?? [],
  )
  if (lengths.length + codings.length > 1) return { fault: 'more than one length' }
  const its = `${line[1]} ${line[2]}`
  if (codings[0] !== undefined) {
    if (codings[0] !== 'chunked') return { fault: 'an unknown coding' }
    const body = readChunks(text, end + 4)
    return typeof body === 'number' ? { line: its, length: body } : body
  }
  if (lengths[0] !== undefined && !/^\d{1,15}$/.test(lengths[0])) {
    return { fault: 'a length that is none' }
  }
  const length = end + 4 + Number(lengths[0] ?? 0)
  return text.length < length ? 'more' : { line: its, length }
}

/** Where the chunks that begin at `at` end. */
function readChunks(
  text: string,
  at: number,
): number | 'more' | { readonly fault: string } {
  for (;;) {
    const end = text.indexOf('\r\n', at)
    if (end < 0) return 'more'
    const size = text.slice(at, end)
    // Larger ones are no numbers here; such a body never ends in a test.
    if (!/^[0-9a-f]{1,13}$/i.test(size)) return { fault: 'a chunk size that is none' }
    const next = end + 2 + parseInt(size, 16)
    if (/^0+$/.test(size)) {
      const trailers = text.indexOf('\r\n\r\n', end)
      return trailers < 0 ? 'more' : trailers + 4
    }
    if (text.length < next + 2) return 'more'
    if (text.slice(next, next + 2) !== '\r\n') return { fault: 'a chunk without an end' }
    at = next + 2
  }
}
