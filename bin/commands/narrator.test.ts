import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { aSmallDisk } from '../../test/a-small-disk.ts'
import { dataDirectory } from '../../src/installation/data-directory.ts'

/** A detached `up` that says this; what it told whoever started it, and its exit code. */
async function said(root: string, sentence: string) {
  const modules = ['./narrator.ts', '../../src/installation/data-directory.ts']
  const [its, of] = modules.map((it) => JSON.stringify(join(import.meta.dirname, it)))
  const script = `
    import { narrator } from ${its}
    import { dataDirectory } from ${of}
    narrator(dataDirectory(${JSON.stringify(root)})).say(${JSON.stringify(sentence)})
    process.disconnect()
  `
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const told: unknown[] = []
  child.on('message', (it) => told.push(it))
  const [exit] = (await once(child, 'close')) as [number]
  return { told, exit }
}

test('what is said on a full disk is told all the same, and nothing ends by it', async (t) => {
  const disk = aSmallDisk(t, 1 << 20)
  const data = dataDirectory(disk.mount)
  mkdirSync(data.programLogs)
  disk.fill()
  assert.deepEqual(await said(data.root, 'one'), tells('one'))
  disk.empty()
  assert.deepEqual(await said(data.root, 'two'), tells('two'))
  assert.match(readFileSync(data.logFile('supervisor'), 'utf8'), /^\S+Z two\n$/)
})

const tells = (text: string) => ({ told: [{ is: 'sentence', text }], exit: 0 })
