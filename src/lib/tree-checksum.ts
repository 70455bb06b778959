import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

const WORKER = new URL('tree-checksum-worker.ts', import.meta.url)

/**
 * `SHA256:<hex>` of all that a directory holds: names, modes, links, contents, in one order
 * whatever the file system's. A hundred megabytes take half a second, on a thread of their
 * own. Rejects where the directory, or something in it, cannot be read.
 */
export async function treeChecksum(directory: string): Promise<string> {
  const worker = new Worker(WORKER, { workerData: directory, env: {} })
  try {
    const [checksum] = (await once(worker, 'message')) as [string]
    return checksum
  } finally {
    await worker.terminate()
  }
}
