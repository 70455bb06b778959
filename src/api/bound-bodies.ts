/**
 * What a request's body may hold where its schema says nothing else: most of it is kept, and a megabyte of
 * text in a row, some thousand times an hour, would fill the database's disk. No text that people or
 * programs write comes near.
 */

import type { FastifyInstance } from 'fastify'

import { MiB } from '../lib/bytes.ts'

/** Bytes, of any but an upload. */
export const LARGEST_BODY = MiB
/** Characters, and items. */
const LONGEST_TEXT = 2000
const LONGEST_LIST = 100

/** For a text of which the body's own limit is the bound, or another rule. */
export const UP_TO_THE_BODY = { maxLength: LARGEST_BODY } as const

/**
 * Of a body that has a command and its environment, bytes: a program cannot be started with a longer argument
 * (MAX_ARG_STRLEN of execve(2)).
 */
export const OF_A_COMMAND = { bodyLimit: 128 * 1024 } as const

/** Of an app, or of a build, which keeps them for good. */
export const MOST_BUILDPACKS = { maxItems: 20 } as const
/** The URL of one, or its name. */
export const OF_A_BUILDPACK = { maxLength: 500 } as const

/** Before any route is there. */
export function boundBodies(server: FastifyInstance): void {
  server.addHook('onRoute', (route) => {
    if (route.schema?.body) {
      route.schema = { ...route.schema, body: bounded(route.schema.body) }
    }
  })
}

/** The JSON schema, with bounds wherever it has none. */
function bounded(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(bounded)
  if (typeof schema !== 'object' || schema === null) return schema
  const parts = Object.entries(schema).map(([key, part]) => [key, bounded(part)])
  return { ...boundOf(schema), ...Object.fromEntries(parts) }
}

function boundOf({ type }: { readonly type?: unknown }): object {
  if (type === 'string') return { maxLength: LONGEST_TEXT }
  return type === 'array' ? { maxItems: LONGEST_LIST } : {}
}
