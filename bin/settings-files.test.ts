import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { dataDirectory } from '../src/installation/data-directory.ts'
import { Refusal } from '../src/installation/refusal.ts'
import { settingsMustDo } from './settings-files.ts'

const root = mkdtempSync(join(tmpdir(), 'mayfly-settings-'))
after(() => rmSync(root, { recursive: true }))
const data = dataDirectory(root)

test('no file of settings need be there', () => {
  assert.doesNotThrow(() => settingsMustDo(data))
})

for (const path of [
  data.managerSettings,
  data.apiSettings,
  data.webhookSettings,
  data.sizes,
]) {
  const name = path.slice(root.length + 1)
  test(`${name} with a comma too many is refused before anything starts`, () => {
    writeFileSync(path, '{}')
    assert.doesNotThrow(() => settingsMustDo(data))
    writeFileSync(path, '{,}')
    assert.throws(
      () => settingsMustDo(data),
      (error) =>
        error instanceof Refusal && error.message.startsWith(`${path} can't be used: `),
    )
    rmSync(path)
  })
}

test('parts that are not root may read theirs', () => {
  const its = [data.apiSettings, data.webhookSettings, data.sizes]
  for (const path of its) {
    writeFileSync(path, '{}')
    chmodSync(path, 0o600)
  }
  settingsMustDo(data)
  assert.deepEqual(
    its.map((path) => statSync(path).mode & 0o777),
    [0o644, 0o644, 0o644],
  )
  for (const path of its) rmSync(path)
})

test('an OCI runtime for what is no region is refused, for it would be that of none', () => {
  const regions = ['us', 'eu'].map((name) => ({ name }))
  writeFileSync(data.installation, JSON.stringify({ regions }))
  writeFileSync(data.managerSettings, '{"ociRuntimes": {"eu": "runsc"}}')
  settingsMustDo(data)
  writeFileSync(data.managerSettings, '{"ociRuntimes": {"uss": "runsc"}}')
  assert.throws(() => settingsMustDo(data), {
    message: /ociRuntimes names uss, which is no region: there is us, eu\.$/,
  })
})
