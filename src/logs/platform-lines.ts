/**
 * Takes in the platform's own lines from the table log_lines: appended to the journals
 * with their ids, made safe against a power failure, and only then deleted. A kill in
 * between leaves rows whose ids the journals know.
 */

import { LONGEST_LINE } from '../model/log-line.ts'
import { deleteLogLines, type WaitingLine, waitingLogLines } from '../store/log-intake.ts'
import type { Queryable } from '../store/queryable.ts'
import { cutAt, label, toBytes } from './batch.ts'
import type { Channel, Channels } from './channels.ts'

const AT_ONCE = 1000

/** Until there are none left. */
export async function takePlatformLines(
  db: Queryable,
  channels: Channels,
): Promise<void> {
  for (;;) {
    const waiting = await waitingLogLines(db, AT_ONCE)
    if (waiting.length === 0) return
    const touched = new Set<Channel>()
    for (const line of waiting) {
      if (!line.wanted) continue
      const channel = channels.of(line.app)
      if (!channel.journal.holds(line.id)) append(line, channel)
      touched.add(channel)
    }
    await Promise.all([...touched].map((channel) => channel.journal.sync()))
    await deleteLogLines(
      db,
      waiting.map((line) => line.id),
    )
    if (waiting.length < AT_ONCE) return
  }
}

function append({ id, time, source, ps, message }: WaitingLine, channel: Channel): void {
  const flat = toBytes(message.replaceAll(/[\r\n]+/g, ' '))
  const shown = flat.slice(0, cutAt(flat, LONGEST_LINE))
  const text = `${time}${label(source, ps)}${shown}\n`
  channel.append({ source, ps, count: 1, text }, { rows: [id] })
}
