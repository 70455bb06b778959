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
  /** Where the region's manager hears which apps are asked for in their sleep. */
  readonly wakeSocket: string
  readonly hostsMap: string
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
    wakeSocket: join(directory, 'wake.sock'),
    hostsMap: join(directory, 'hosts.map'),
    lua: join(directory, 'router.lua'),
    pages,
    noSuchApp: join(pages, 'no-such-app.html'),
    misdirected: join(pages, 'H31.html'),
    applicationError: join(pages, 'application-error.html'),
  }
}
