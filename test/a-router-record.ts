/** A record of a request, as HAProxy writes it, and the line that is made of one. */

import { parseRouterRecord } from '../src/logs/router-line.ts'

export const app = '11111111-1111-4111-8111-111111111111'
const server = 'web.2:22222222-2222-4222-8222-222222222222'
export const id = 'f024d9d7-8cb6-47c0-b69f-6247f67b59d4'

/** What of a record a test is about, in HAProxy's words. */
export interface RecordBut {
  /** The app's, of which its id is the fourth part; or that alone, or none. */
  readonly entry?: string
  readonly server?: string
  readonly times?: string
  readonly bytes?: string
  readonly length?: string
  readonly method?: string
  readonly status?: number
  readonly ended?: string
  readonly code?: string
  readonly uri?: string
  readonly host?: string
  readonly src?: string
  readonly fwd?: string
  readonly agent?: string
  readonly version?: string
  readonly tls?: string
}

/** As HAProxy writes it; only what the test is about differs. */
export function aRecord(but: RecordBut = {}): string {
  const it = {
    entry: `app0/up//${app}/200`,
    server,
    times: '0 2 1 21',
    bytes: '387',
    length: ' -',
    method: 'GET',
    status: 200,
    ended: '--',
    code: '-',
    uri: '/a?b=c',
    host: 'my-app.localhost:8080',
    src: ' src=127.0.0.1',
    fwd: '',
    agent: '',
    version: '1',
    tls: 'http -',
    ...but,
  }
  return `1795399938168555 ${it.entry} ${it.times} ${it.status} ${it.bytes}${it.length} ${it.ended} ${it.code} ${it.version} ${it.tls} method=${it.method} request_id=${id} dyno=${it.server}${it.src} agent="${it.agent}" host="${it.host}" fwd="${it.fwd}" path="${it.uri}"`
}

/** What the line of it says. */
export const messageOf = (record: string) => parseRouterRecord(record)?.message
