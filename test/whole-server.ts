import type { Resource } from '../src/api/server.ts'

/** A plugin that is of the whole server, not of a part of its own: its hooks are for whatever is registered after it. */
export function wholeServer(plugin: Resource): Resource {
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true })
}

/** Puts every route that is registered after it into `routes`, as `GET /apps`; without HEADs, which come by GETs. */
export function listing(routes: string[]): Resource {
  return wholeServer(async (server) => {
    server.addHook('onRoute', ({ method, url }) => {
      for (const it of [method].flat()) if (it !== 'HEAD') routes.push(`${it} ${url}`)
    })
  })
}
