import assert from 'node:assert/strict'
import { chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { chmod } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { accessOf } from '../../../test/access-of.ts'
import { ensureUsers, GROUP, groupId } from '../../installation/users.ts'
import { newId } from '../../model/ids.ts'
import { regionFiles } from './dyno-files.ts'
import { regroupDynos } from './regroup-dynos.ts'

test('what a dyno of an earlier version has for all parts is for those who need it', async () => {
  await ensureUsers()
  const root = mkdtempSync(join(tmpdir(), 'mayfly-regroup-'))
  await chmod(root, 0o711)
  const files = regionFiles(root)
  const [dyno, entry] = [newId<'dyno'>(), newId<'entry'>()]
  const [its, entered] = [files.of(dyno), files.entry(dyno, entry)]
  const all = groupId(GROUP)
  for (const it of [its.directory, entered.directory]) {
    mkdirSync(it, { mode: 0o751 })
    chownSync(it, 0, all)
  }
  const logs = [its.log, its.spareLog]
  const streams = [its.stream, entered.stream, entered.control]
  for (const it of [...logs, ...streams]) {
    writeFileSync(it, '')
    await chmod(it, logs.includes(it) ? 0o640 : 0o660)
    chownSync(it, 0, all)
  }
  const [before] = await accessOf([its.stream])
  assert.equal(Object.keys(before ?? {}).length, 5)

  const readers = groupId('mayfly-logs')
  await regroupDynos({ files, readers, clients: groupId('mayfly-rendezvous') })
  for (const it of await accessOf(logs)) assert.deepEqual(it, { 'mayfly-logs': 'r--' })
  for (const it of await accessOf(streams))
    assert.deepEqual(it, { 'mayfly-rendezvous': 'rw-' })
  const [listed] = await accessOf([its.directory])
  assert.equal(listed?.['mayfly-logs'], 'r-x')
  assert.equal(listed['mayfly-rendezvous'], '--x')
  rmSync(root, { recursive: true })
})
