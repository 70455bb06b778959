import type { SecretBox } from '../lib/secret-box.ts'
import type { App } from '../model/app.ts'
import { placeOf } from '../model/dyno.ts'
import { newId } from '../model/ids.ts'
import { RELEASE_TYPE, sizeOfOneOff } from '../model/one-off.ts'
import { byWhom, type ConfigVars, type Release } from '../model/release.ts'
import { startLine } from '../model/start-line.ts'
import { formationsOf, putFormation } from '../store/app-formations.ts'
import { writeLogLines } from '../store/log-lines.ts'
import type { Queryable } from '../store/queryable.ts'
import { startOneOff } from './start-one-off.ts'

export interface ReleasePhase {
  readonly app: Pick<App, 'id' | 'region'>
  readonly release: Release
  readonly command: string
  readonly configVars: ConfigVars
}

/** Asks for the one-off dyno whose end decides about a pending release. */
export async function beginReleasePhase(
  tx: Queryable,
  { app, release, command, configVars }: ReleasePhase,
  secrets: SecretBox,
): Promise<void> {
  const { account, version } = release
  const dyno = await startOneOff(tx, {
    app: app.id,
    release: release.id,
    region: app.region,
    type: RELEASE_TYPE,
    size: await ensureSize(tx, app, command),
    command,
    account: account.id,
    environment: secrets.seal('{}', app.id),
    attachSecret: null,
    terminal: null,
    timeToLive: null,
    token: null,
    releasePhase: release.id,
  })
  const running = `Running release v${version} commands ${byWhom(release)}`
  await writeLogLines(tx, [
    { app: app.id, source: 'app', ps: 'api', message: running },
    {
      app: app.id,
      source: 'heroku',
      ps: placeOf(dyno),
      message: startLine(dyno, configVars),
    },
  ])
}

/** `ps:type release=…` sets it: so there is a formation from the first release phase on. */
async function ensureSize(
  tx: Queryable,
  app: ReleasePhase['app'],
  command: string,
): Promise<string> {
  const formations = await formationsOf(tx, app.id)
  const present = formations.find((it) => it.type === RELEASE_TYPE)
  if (present) return present.size
  const size = sizeOfOneOff(formations)
  const its = { app: app.id, type: RELEASE_TYPE, quantity: 0, size, command }
  await putFormation(tx, { id: newId(), ...its })
  return size
}
