import assert from 'node:assert/strict'
import { test } from 'node:test'

import Fastify from 'fastify'
import { Type } from 'typebox'

import { boundBodies, UP_TO_THE_BODY } from './bound-bodies.ts'

function list(length: number): string[] {
  return Array.from({ length }, () => 'x')
}

test('texts and lists of bodies have an end, wherever they are', async () => {
  const body = Type.Object({
    text: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    type: Type.Optional(Type.Literal('string')),
    nested: Type.Optional(Type.Object({ list: Type.Array(Type.String()) })),
    map: Type.Optional(Type.Record(Type.String(), Type.String())),
    both: Type.Optional(
      Type.Intersect([Type.Object({ a: Type.String() }), Type.Object({})]),
    ),
    short: Type.Optional(Type.String({ maxLength: 3 })),
    long: Type.Optional(Type.String(UP_TO_THE_BODY)),
  })
  const server = Fastify()
  boundBodies(server)
  await server.register(async (inner) => {
    inner.post('/', { schema: { body } }, async () => ({}))
  })
  const status = async (payload: object) =>
    (await server.inject({ method: 'POST', url: '/', payload })).statusCode
  const [right, wrong] = ['x'.repeat(2000), 'x'.repeat(2001)]
  for (const taken of [
    { text: right, short: 'xxx', long: wrong, type: 'string' },
    { nested: { list: list(100) }, map: { a: right }, both: { a: right } },
  ]) {
    assert.equal(await status(taken), 200)
  }
  for (const refused of [
    { text: wrong },
    { nested: { list: list(101) } },
    { nested: { list: [wrong] } },
    { map: { a: wrong } },
    { both: { a: wrong } },
    { short: 'xxxx' },
  ]) {
    assert.equal(await status(refused), 400, JSON.stringify(refused).slice(0, 40))
  }
})
