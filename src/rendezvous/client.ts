import type { Socket } from 'node:net'

import { frame, framesIn } from '../lib/frames.ts'

/** A client at the front door, which ends its TLS and passes each of its records on as a frame. */
export interface Client {
  /** What it sends, record by record; they end when it goes. */
  readonly records: AsyncIterator<Buffer>
  /** Aborts when it is gone, though records of it may be left. */
  readonly gone: AbortSignal
  /** Sends the bytes as one record; resolves when there is room for more, rejects once it is gone. */
  send(bytes: Uint8Array): Promise<void>
  /** Sends what is under way, then ends the connection. */
  end(): void
}

/** Read ahead, so that it is seen to go while nobody reads; a record has 16 KiB at most. */
const MOST_RECORDS = 64

export function clientBehind(socket: Socket): Client {
  const read: Buffer[] = []
  const gone = new AbortController()
  let [wakeReader, wakeFiller] = [() => {}, () => {}]
  socket.on('error', () => {
    // That it is gone is told by its records' end, and by what can't be sent.
  })
  void fill()

  return {
    records: records(),
    gone: gone.signal,
    send: (bytes) =>
      new Promise((resolve, reject) => {
        socket.write(frame(bytes), (error) => (error ? reject(error) : resolve()))
      }),
    end: () => void socket.end(),
  }

  async function fill(): Promise<void> {
    try {
      for await (const record of framesIn(socket)) {
        read.push(record)
        wakeReader()
        if (read.length >= MOST_RECORDS) {
          await new Promise<void>((resolve) => (wakeFiller = resolve))
        }
      }
    } catch {
      // As good an end as any.
    }
    gone.abort()
    wakeReader()
  }

  async function* records(): AsyncGenerator<Buffer> {
    for (;;) {
      const record = read.shift()
      wakeFiller()
      if (record) yield record
      else if (gone.signal.aborted) return
      else await new Promise<void>((resolve) => (wakeReader = resolve))
    }
  }
}
