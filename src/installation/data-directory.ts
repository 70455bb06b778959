/**
 * What lies where in an installation's data directory. Every part is told the directory
 * and finds the rest here; nobody else puts a path together.
 *
 *   installation.json      what set-up decided; readable by every part
 *   manager.json           optional: timings, OCI runtimes, networks and shares, instead of Heroku's and the usual
 *   sizes.json             optional: what dyno sizes and limits differ from Heroku's
 *   api.json               optional: how many requests an hour the API takes of a token; proxies that it trusts
 *   webhooks.json          optional: private networks that webhooks may reach all the same
 *   keys/                  ca.pem, ca.key, server.pem, server.key, config-vars.key, webhooks.key, api-key
 *   keys/router-*          router-ca.pem, router-signer.pem, router-default.pem: see router-keys.ts
 *   keys/domain.pem        optional: the operator's own certificate for the apps' domain
 *   postgres/              the private cluster; postgres.15/: the one of before, after an upgrade
 *   service-environment    what systemd's service has in its environment
 *   run/<part>/            a part's own: its sockets and, once it serves, `ready` (its pid)
 *   run/git/compiled/      what Node compiled of the hook that runs at each push
 *   run/rendezvous/        also exec.json: where clients find its SSH server; exec-host-key
 *   run/supervisor/        which process each part is; root's, so that no part can name another
 *   log/<part>.log         what it says
 *   program/, node         where unprivileged parts see this program and its Node, wherever they lie
 *   stacks/<stack>/        root file systems
 *   sources/<id>.tar.gz    uploaded and pushed source trees
 *   slugs/<id>/app/        compiled apps; beside it `verified`, by a region's manager (`verify-slug.ts`)
 *   cache/<app>/           build caches, a disk each
 *   builds/<id>/           what a build dyno is given to read: its source, the config vars
 *   buildpacks/<version>/  the built-in buildpacks
 *   repos/<app>.git/       git repositories
 *   dynos/<region>/        what the runtime driver keeps of its dynos
 *   routers/<region>/      HAProxy's configuration, maps and sockets
 *   logs/                  the apps' last lines
 *   ended-logs/            output of dynos that are gone, until `logs` has read it to the end
 */

import { join } from 'node:path'

/** Where the usual installation lives; another's is named by `--data`. */
export const DEFAULT_DATA = '/var/lib/mayfly'

export interface DataDirectory {
  readonly root: string
  readonly installation: string
  readonly managerSettings: string
  readonly apiSettings: string
  readonly webhookSettings: string
  readonly sizes: string
  readonly keys: {
    readonly directory: string
    readonly ca: string
    readonly caPrivateKey: string
    readonly certificate: string
    readonly privateKey: string
    readonly configVars: string
    readonly webhooks: string
    readonly apiKey: string
    readonly routerCa: string
    readonly routerSigner: string
    readonly routerDefault: string
    readonly domain: string
  }
  readonly postgres: string
  readonly stacks: string
  readonly sources: string
  readonly slugs: string
  readonly caches: string
  readonly builds: string
  readonly buildpacks: string
  readonly repos: string
  readonly logs: string
  readonly endedLogs: string
  readonly programLogs: string
  readonly program: string
  readonly node: string
  sourceFile(source: string): string
  readonly execDoor: string
  readonly execHostKey: string
  run(part: string): string
  /** Where routers send a record of each request: nobody else may. */
  readonly recordSocket: string
  /** Written by a part once it serves: its pid. */
  readyFile(part: string): string
  /** Written by the supervisor: which process the part is. */
  processFile(part: string): string
  logFile(part: string): string
  dynos(region: string): string
  router(region: string): string
}

export function dataDirectory(root: string): DataDirectory {
  const at = (...path: string[]) => join(root, ...path)
  return {
    root,
    installation: at('installation.json'),
    managerSettings: at('manager.json'),
    apiSettings: at('api.json'),
    webhookSettings: at('webhooks.json'),
    sizes: at('sizes.json'),
    keys: {
      directory: at('keys'),
      ca: at('keys', 'ca.pem'),
      caPrivateKey: at('keys', 'ca.key'),
      certificate: at('keys', 'server.pem'),
      privateKey: at('keys', 'server.key'),
      configVars: at('keys', 'config-vars.key'),
      webhooks: at('keys', 'webhooks.key'),
      apiKey: at('keys', 'api-key'),
      routerCa: at('keys', 'router-ca.pem'),
      routerSigner: at('keys', 'router-signer.pem'),
      routerDefault: at('keys', 'router-default.pem'),
      domain: at('keys', 'domain.pem'),
    },
    postgres: at('postgres'),
    stacks: at('stacks'),
    sources: at('sources'),
    slugs: at('slugs'),
    caches: at('cache'),
    builds: at('builds'),
    buildpacks: at('buildpacks'),
    repos: at('repos'),
    logs: at('logs'),
    endedLogs: at('ended-logs'),
    programLogs: at('log'),
    program: at('program'),
    node: at('node'),
    sourceFile: (source) => at('sources', `${source}.tar.gz`),
    execDoor: at('run', 'rendezvous', 'exec.json'),
    execHostKey: at('run', 'rendezvous', 'exec-host-key'),
    run: (part) => at('run', part),
    recordSocket: at('run', 'records', 'syslog.sock'),
    readyFile: (part) => at('run', part, 'ready'),
    processFile: (part) => at('run', 'supervisor', `${part}.json`),
    logFile: (part) => at('log', `${part}.log`),
    dynos: (region) => at('dynos', region),
    router: (region) => at('routers', region),
  }
}

/** `installation.json`: what set-up decided. */
export interface Installation {
  /** Six hex digits, in the name of everything this installation puts on the machine. */
  readonly id: string
  readonly apiPort: number
  /** Apps answer as http://<app>.<domain>:<port>; `up --domain` may change it. */
  readonly domain: string
  readonly regions: readonly InstalledRegion[]
  /** Who is asked for certificates of custom domains; absent: nobody. `up --acme-…` changes it. */
  readonly acme?:
    | {
        /** URL of its ACME directory. */
        readonly directory: string
        readonly email?: string | undefined
        /** A file: who vouches for it, where no public authority does. */
        readonly trusted?: string | undefined
      }
    | undefined
  /** Where DATABASE_URL said when it was set up; absent: in the private cluster. */
  readonly database?: 'elsewhere'
  /** By which that one is known again; absent: no `up` has come to it yet. */
  readonly databaseId?: string | undefined
}

export interface InstalledRegion {
  readonly name: string
  readonly httpPort: number
  /** Where they answer by TLS, too; `up --https-port` may change it. */
  readonly httpsPort: number
  /** In 172.16.0.0/12, a /18: no other installation's and no other network's of the machine. */
  readonly subnet: string
}
