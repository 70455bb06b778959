/** A region's router asked by TLS, and what tests look at of it then. */

import { readFileSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { type Agent, request } from 'node:https'
import { join } from 'node:path'
import { connect, type PeerCertificate } from 'node:tls'

import { aBackend, type ARouter } from './a-router.ts'

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** By HTTP/1.1 over TLS; `trusted` certificates alone vouch for the host. */
export function getByTls(
  { tlsPort }: ARouter,
  host: string,
  it: {
    readonly trusted: string
    readonly path?: string
    readonly agent?: Agent
    readonly method?: string
    /** Whichever name the certificate is for. */
    readonly anyName?: boolean
  },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port: tlsPort,
        servername: host,
        path: it.path ?? '/',
        method: it.method ?? 'GET',
        headers: { host },
        ca: it.trusted,
        agent: it.agent ?? false,
        ...(it.anyName ? { checkServerIdentity: () => undefined } : {}),
      },
      (answer) => {
        let body = ''
        answer.setEncoding('utf8')
        answer.on('data', (chunk: string) => (body += chunk))
        answer.on('error', reject)
        answer.on('end', () => {
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body })
        })
      },
    )
    asked.on('error', reject)
    asked.end()
  })
}

/** The certificate a client of that host is shown, trusted or not. */
export function shownTo(
  { tlsPort }: ARouter,
  servername: string | undefined,
  maxVersion: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3',
): Promise<PeerCertificate> {
  return new Promise((resolve, reject) => {
    const socket = connect(
      {
        host: '127.0.0.1',
        port: tlsPort,
        ...(servername === undefined ? {} : { servername }),
        rejectUnauthorized: false,
        minVersion: maxVersion,
        maxVersion,
        // Node's own floor must not be what refuses.
        ciphers: 'DEFAULT:@SECLEVEL=0',
      },
      () => {
        resolve(socket.getPeerCertificate())
        socket.end()
      },
    )
    socket.on('error', reject)
  })
}

/** The certificate of the installation's own authority. */
export const authorityOf = ({ directory }: ARouter) =>
  readFileSync(join(directory, 'ca.pem'), 'utf8')

/** An app with a dyno that answers what it was asked. */
export async function echoing(
  router: ARouter,
  t: Parameters<typeof aBackend>[0],
  name: string,
) {
  const app = await router.app(name)
  const backend = await aBackend(t, (asked, answer) => {
    answer.end(JSON.stringify({ name, version: asked.httpVersion, ...asked.headers }))
  })
  await router.dyno(app, backend)
  return app
}
