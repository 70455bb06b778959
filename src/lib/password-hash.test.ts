import assert from 'node:assert/strict'
import { scryptSync } from 'node:crypto'
import { test } from 'node:test'

import { hashPassword, isPassword } from './password-hash.ts'

const PASSWORD = 'correct horse battery'

test('a password is its own hash`s and no other is', async () => {
  const hash = await hashPassword(PASSWORD)
  assert.match(hash, /^\$scrypt\$ln=15,r=8,p=3\$[\w-]{22}\$[\w-]{43}$/)
  assert.equal(await isPassword(PASSWORD, hash), true)
  for (const wrong of ['', 'correct horse batterz', `${PASSWORD} `, PASSWORD.slice(1)]) {
    assert.equal(await isPassword(wrong, hash), false, wrong)
  }
})

test('the same password has another hash each time', async () => {
  assert.notEqual(await hashPassword(PASSWORD), await hashPassword(PASSWORD))
})

test('it is scrypt, with the parameters that the line says', async () => {
  const salt = Buffer.from('a salt')
  const hash = scryptSync(PASSWORD, salt, 32, { N: 2 ** 4, r: 1, p: 2 })
  const line = `$scrypt$ln=4,r=1,p=2$${salt.toString('base64url')}$${hash.toString('base64url')}`
  assert.equal(await isPassword(PASSWORD, line), true)
  assert.equal(await isPassword('another', line), false)
})

test('a letter is the same however it is composed', async () => {
  assert.equal(
    await isPassword('cafe\u0301 au lait', await hashPassword('café au lait')),
    true,
  )
})

test('where there is no hash nothing is right', async () => {
  assert.equal(await isPassword('', undefined), false)
})

test('a line that is no hash is a fault', async () => {
  await assert.rejects(isPassword(PASSWORD, PASSWORD), /no hash of ours/)
})
