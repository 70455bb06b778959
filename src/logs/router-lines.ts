/**
 * Takes in the routers' request lines: HAProxy connects here and sends a frame per request. Nobody but
 * its own user may. Only what its records say of apps that exist becomes a line.
 */

import { createServer, type Server } from 'node:net'

import type { Log } from '../lib/log.ts'
import { type AppId, isUuid } from '../model/ids.ts'
import type { RequestMeasure } from '../model/router-measures.ts'
import { displayTime, label, type Lines, withoutReturns } from './batch.ts'
import type { Channels } from './channels.ts'
import { splitFrames } from './octet-frames.ts'
import type { RouterCounts } from './router-counts.ts'

/** Of byte strings. */
export type RouterRecordParser = (record: string) => ParsedRecord | undefined

interface ParsedRecord {
  readonly app: AppId
  readonly at: number
  readonly message: string
  readonly measure: RequestMeasure
}

/**
 * Milliseconds from one taking in to the next. Under load a record comes every few microseconds: to wake up for
 * each, and to append each by itself, costs more than all that is done with it.
 */
const BREATH = 10
/** Where so many bytes came at once, a socket's buffer was full: HAProxy must not wait until it drops records. */
const BUSY = 128 * 1024

const SOURCE = { source: 'heroku', ps: 'router' }
const LABEL = label(SOURCE.source, SOURCE.ps)

export interface RouterLineDeps {
  readonly channels: Channels
  readonly parse: RouterRecordParser
  readonly counts: RouterCounts
  readonly log: Log
}

export function routerLineServer(deps: RouterLineDeps): Server {
  const keep = keeper(deps)
  // With a mark that low, a paused socket is read once more, and then no further.
  return createServer({ highWaterMark: 1 }, (socket) => {
    let received = ''
    let taking = false
    const take = () => {
      taking = false
      const isBusy = received.length > BUSY
      const frames = splitFrames(received)
      if (!frames) {
        socket.destroy()
        return
      }
      received = frames.rest
      takeRecords(frames.records, { ...deps, keep })
      if (isBusy) return
      socket.pause()
      setTimeout(() => socket.resume(), BREATH)
    }
    socket.setEncoding('latin1')
    socket.on('error', () => socket.destroy())
    socket.on('data', (bytes: string) => {
      received += bytes
      if (taking) return
      taking = true
      // By then all that is there has been read.
      setImmediate(take)
    })
  })
}

/** Lines of one app that came together are appended together. */
function takeRecords(
  records: readonly string[],
  { parse, counts, keep }: RouterLineDeps & { readonly keep: Keep },
): void {
  const measured = counts.counter()
  const lines = new Map<AppId, { count: number; text: string }>()
  let known = { at: NaN, start: '' }
  for (const record of records) {
    const parsed = parse(record)
    if (!parsed) continue
    const { app, at, message } = parsed
    measured(app, parsed.measure)
    // Many a line shares its millisecond with the one before.
    if (at !== known.at) known = { at, start: `${displayTime(new Date(at))}${LABEL}` }
    const line = `${known.start}${message}\n`
    const of = lines.get(app)
    if (of) {
      of.count += 1
      of.text += line
    } else lines.set(app, { count: 1, text: line })
  }
  for (const [app, { count, text }] of lines) {
    if (isUuid(app)) keep(app, { ...SOURCE, count, text: withoutReturns(text) })
  }
}

type Keep = (app: AppId, lines: Lines) => void

/** On a full disk lines are lost, and said to be, once: nobody has them to be asked again. */
function keeper({ channels, log }: RouterLineDeps): Keep {
  let isFailing = false
  return (app, lines) => {
    try {
      channels.of(app).append(lines)
      isFailing = false
    } catch (error) {
      if (!isFailing) log.error("lines of the routers' are lost", error, { app })
      isFailing = true
    }
  }
}
