import { isReady } from '../../src/installation/control-plane.ts'
import type { DataDirectory } from '../../src/installation/data-directory.ts'
import { runningPart } from '../../src/installation/keep-part.ts'
import { openInstallation } from '../../src/installation/open-installation.ts'
import type { PartSpec } from '../../src/installation/parts.ts'
import { supervisorOf } from '../../src/installation/supervisor-lock.ts'
import { dataNamed, dataOption, parsed } from './arguments.ts'
import { partsHere } from './settings.ts'

interface PartStatus {
  readonly name: string
  readonly state: 'up' | 'starting' | 'down'
  readonly pid: number | null
  readonly since: string | null
  readonly restarts: number
  readonly address: string
}

/** 0 only if every part serves and somebody watches over them. */
export async function status(args: string[]): Promise<number> {
  const { values } = parsed({
    args,
    options: { ...dataOption, json: { type: 'boolean' } },
  })
  const data = dataNamed(values.data)
  const installation = openInstallation(data)
  const supervisor = supervisorOf(data)
  const parts = await Promise.all(
    partsHere(data, installation).map((part) => statusOf(part, data)),
  )
  const well = supervisor !== undefined && parts.every((it) => it.state === 'up')

  const whole = {
    well,
    id: installation.id,
    data: data.root,
    api: `http://localhost:${installation.apiPort}`,
    supervisor: supervisor?.pid ?? null,
    parts,
  }
  console.log(values.json ? JSON.stringify(whole, undefined, 2) : table(whole))
  return well ? 0 : 1
}

async function statusOf(part: PartSpec, data: DataDirectory): Promise<PartStatus> {
  const running = runningPart(data, part.name)
  const { name, address } = part
  if (!running)
    return { name, state: 'down', pid: null, since: null, restarts: 0, address }
  const { pid, since, restarts } = running
  const state = (await isReady(part, data)) ? 'up' : 'starting'
  return { name, state, pid, since, restarts, address }
}

function table(whole: {
  readonly data: string
  readonly supervisor: number | null
  readonly parts: readonly PartStatus[]
}): string {
  const rows = whole.parts.map((it) => [
    it.name,
    it.state,
    it.pid === null ? '-' : String(it.pid),
    it.restarts === 0 ? '' : `restarted ${it.restarts}×`,
    it.address,
  ])
  const widths = [0, 1, 2, 3].map((at) =>
    Math.max(...rows.map((row) => row[at]?.length ?? 0)),
  )
  const lines = rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  const by =
    whole.supervisor === null
      ? 'nobody watches over it: ./mayfly up'
      : `supervised by process ${whole.supervisor}`
  return [`${whole.data}, ${by}`, ...lines].join('\n')
}
