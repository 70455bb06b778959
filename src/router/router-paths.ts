import { join } from 'node:path'

/** What lies where in a router's directory. */
export interface RouterPaths {
  readonly directory: string
  readonly config: string
  readonly adminSocket: string
  /** Of HAProxy's master process: reloads. */
  readonly masterSocket: string
  /** From a worker that was reloaded to the one that took its place. */
  readonly successorSocket: string
  /** The same for what came by TLS. */
  readonly successorTlsSocket: string
  /** Where the region's manager hears which apps are asked for in their sleep. */
  readonly wakeSocket: string
  readonly hostsMap: string
  /** What certificates are served, by file and host: HAProxy's `crt-list`. */
  readonly certificateList: string
  /** Certificate and private key together, a file each: root's alone. */
  readonly certificates: string
  /** Path to answer, of authorities that ask whether a domain is ours. */
  readonly challengesMap: string
  readonly lua: string
  readonly pages: string
  readonly noSuchApp: string
  readonly misdirected: string
  readonly applicationError: string
}

export function routerPaths(directory: string): RouterPaths {
  const pages = join(directory, 'pages')
  return {
    directory,
    config: join(directory, 'haproxy.cfg'),
    adminSocket: join(directory, 'admin.sock'),
    masterSocket: join(directory, 'master.sock'),
    successorSocket: join(directory, 'successor.sock'),
    successorTlsSocket: join(directory, 'successor-tls.sock'),
    wakeSocket: join(directory, 'wake.sock'),
    hostsMap: join(directory, 'hosts.map'),
    certificateList: join(directory, 'certificates.list'),
    certificates: join(directory, 'certificates'),
    challengesMap: join(directory, 'challenges.map'),
    lua: join(directory, 'router.lua'),
    pages,
    noSuchApp: join(pages, 'no-such-app.html'),
    misdirected: join(pages, 'H31.html'),
    applicationError: join(pages, 'application-error.html'),
  }
}
