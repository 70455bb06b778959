/** What an app can switch on and off: `heroku features:enable preboot`, `heroku labs:enable …`. */

export interface AppFeature {
  readonly name: string
  readonly displayName: string
  readonly description: string
  readonly docUrl: string
  /** `heroku features` lists what is general, `heroku labs` all else. */
  readonly state: 'general' | 'beta'
  /** Whether it is on in an app that nobody asked. */
  readonly default: boolean
}

const SETTINGS = 'docs/operating/dyno-settings.md'
const LIMITS = 'docs/operating/limits-and-capacity.md'

export const APP_FEATURES = [
  {
    name: 'automatic-rollback',
    displayName: 'Automatic rollback',
    description: 'Take back a release whose first web dynos never get ready',
    docUrl: SETTINGS,
    state: 'general',
    default: true,
  },
  {
    name: 'daily-cycling',
    displayName: 'Daily cycling',
    description: 'Replace every dyno once a day',
    docUrl: SETTINGS,
    state: 'general',
    default: true,
  },
  {
    name: 'http-routing-2-dot-0',
    displayName: 'Router 2.0',
    description: 'Write router lines as Router 2.0 does; off: as the legacy router did',
    docUrl: 'docs/operating/routing.md',
    state: 'general',
    default: true,
  },
  {
    name: 'http-session-affinity',
    displayName: 'Session affinity',
    description: 'Let clients that keep a cookie come back to the web dyno they were at',
    docUrl: 'docs/operating/routing.md',
    state: 'general',
    default: false,
  },
  {
    name: 'https-redirect',
    displayName: 'HTTPS redirect',
    description: 'Send clients that come by plain HTTP to the same address by HTTPS',
    docUrl: 'docs/operating/routing.md',
    state: 'general',
    default: false,
  },
  {
    name: 'idling',
    displayName: 'Idling',
    description: 'Let the app sleep when nobody asks for it, and wake with a request',
    docUrl: SETTINGS,
    state: 'general',
    default: false,
  },
  {
    name: 'preboot',
    displayName: 'Preboot',
    description: 'Provide seamless web dyno deploys',
    docUrl: SETTINGS,
    state: 'general',
    default: false,
  },
  {
    name: 'runtime-heroku-exec',
    displayName: 'Heroku Exec',
    description:
      'Let `heroku ps:exec`, `ps:copy`, `ps:forward` and `ps:socks` enter dynos',
    docUrl: 'docs/operating/exec.md',
    state: 'general',
    default: false,
  },
  {
    name: 'log-runtime-metrics',
    displayName: 'Runtime metrics',
    description: 'Emit dyno resource usage information into app logs',
    docUrl: LIMITS,
    state: 'beta',
    default: false,
  },
  {
    name: 'runtime-dyno-metadata',
    displayName: 'Dyno metadata',
    description: 'Make metadata about the app and its release available to its dynos',
    docUrl: LIMITS,
    state: 'beta',
    default: false,
  },
] as const satisfies readonly AppFeature[]

type KnownFeature = (typeof APP_FEATURES)[number]
export type FeatureName = KnownFeature['name']

/** What was said of features, one way or the other, by name. */
export type Switches = Readonly<Record<string, boolean>>

/** The names of the features that are on, with those that nobody switched off. */
export function enabledFeatures(switches: Switches): ReadonlySet<FeatureName> {
  const on = APP_FEATURES.filter((it) => switches[it.name] ?? it.default)
  return new Set(on.map((it) => it.name))
}

export function findFeature(name: string): KnownFeature | undefined {
  return APP_FEATURES.find((it) => it.name === name)
}
