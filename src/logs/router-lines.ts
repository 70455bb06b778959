/**
 * Takes in the routers' request lines: HAProxy connects here and sends a frame per request.
 * Only what its records say of apps that exist becomes a line: anyone on this machine may
 * connect, since HAProxy's own user shares no group with us.
 */

import { createServer, type Server } from 'node:net'

import { type AppId, isUuid } from '../model/ids.ts'
import type { RequestMeasure } from '../model/router-measures.ts'
import { displayTime, label, withoutReturns } from './batch.ts'
import type { Channels } from './channels.ts'
import { splitFrames } from './octet-frames.ts'
import type { RouterCounts } from './router-counts.ts'

/** Of byte strings. */
export type RouterRecordParser = (record: string) => ParsedRecord | undefined

interface ParsedRecord {
  readonly app: AppId
  readonly at: Date
  readonly message: string
  readonly measure: RequestMeasure
}

const SOURCE = { source: 'heroku', ps: 'router' }
const LABEL = label(SOURCE.source, SOURCE.ps)

export interface RouterLineDeps {
  readonly channels: Channels
  readonly parse: RouterRecordParser
  readonly counts: RouterCounts
}

export function routerLineServer(deps: RouterLineDeps): Server {
  return createServer((socket) => {
    let rest = ''
    socket.setEncoding('latin1')
    socket.on('error', () => socket.destroy())
    socket.on('data', (bytes: string) => {
      const frames = splitFrames(rest + bytes)
      if (!frames) {
        socket.destroy()
        return
      }
      rest = frames.rest
      takeRecords(frames.records, deps)
    })
  })
}

/** Lines of one app that came together are appended together. */
function takeRecords(
  records: readonly string[],
  { channels, parse, counts }: RouterLineDeps,
): void {
  const measured = counts.counter()
  const lines = new Map<AppId, { count: number; text: string }>()
  let known = { at: NaN, start: '' }
  for (const record of records) {
    const parsed = parse(record)
    if (!parsed) continue
    const { app, message } = parsed
    measured(app, parsed.measure)
    const at = parsed.at.getTime()
    // Many a line shares its millisecond with the one before.
    if (at !== known.at) known = { at, start: `${displayTime(parsed.at)}${LABEL}` }
    const line = `${known.start}${message.replaceAll('\n', ' ')}\n`
    const of = lines.get(app)
    if (of) {
      of.count += 1
      of.text += line
    } else lines.set(app, { count: 1, text: line })
  }
  for (const [app, { count, text }] of lines) {
    if (!isUuid(app)) continue
    channels.of(app).append({ ...SOURCE, count, text: withoutReturns(text) })
  }
}
